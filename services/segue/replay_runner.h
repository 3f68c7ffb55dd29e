// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "services/segue/replay_session.h"

namespace segue::program {

struct RunOutcome {
  Result<std::vector<replay::ReplaySummary>> summaries;
  SessionSample last;  // as it was at the end
  double seconds = 0;
  bool interrupted = false;
};

// Runs a session with everything around it: progress on standard error unless `quiet`, metrics where `metrics` is not empty, Ctrl-C.
// `definitions` are those of the first replay. kUsage when the metrics address cannot be used: then nothing ran.
Result<RunOutcome> run_session(std::vector<replay::ReplayOptions> options, bool quiet, const std::string& metrics,
                               std::shared_ptr<const segment::Definitions> definitions);

}  // namespace segue::program
