// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/segment/definitions.h"
#include "services/api/context.h"

namespace segue::program {

// What a preview replays.
struct PreviewSource {
  std::string state;                         // the state directory; the preview has one in it
  std::vector<std::string> logs;             // absolute paths, by partition
  std::map<std::string, uint64_t> log_ends;  // durable bytes of each
};

// Replays the log up to those ends twice, under the definitions in force and under the draft, in a directory that goes with the call, and compares
// where users stand. On the caller's thread, at low priority; memory: bounded caches, and about 60 bytes a user.
Result<api::PreviewResult> run_preview(const PreviewSource& source, std::shared_ptr<const segment::Definitions> in_force,
                                       std::shared_ptr<const segment::Definitions> draft, api::PreviewProgress& progress);

}  // namespace segue::program
