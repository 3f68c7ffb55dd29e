// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "services/replay/replay.h"
#include "services/tools/terminal.h"

namespace segue::program {

// What a replay came to.
struct ReplayReport {
  const replay::ReplaySummary& summary;
  const segment::Definitions& definitions;
  std::string directory;
  uint64_t records = 0;   // taken by this process
  uint64_t replayed = 0;  // applied again by it
  double seconds = 0;
};

// Tables, the flow between the stages, and where the files are.
std::string report_text(const ReplayReport& report, const tools::Terminal& terminal);
// One JSON object and a newline.
std::string report_json(const ReplayReport& report);

}  // namespace segue::program
