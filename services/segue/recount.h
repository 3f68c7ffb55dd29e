// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "lib/base/result.h"
#include "services/segue/state_reader.h"

namespace segue::program {

// What a recount found to be the same.
struct RecountReport {
  uint64_t commits = 0;  // whose outputs came out with the journal's counts and checksums
  uint64_t pages = 0;    // that came out with the same bytes
  uint64_t erased = 0;
  bool stopped = false;
};

// Takes the log of a state directory from its beginning, under the directory's definitions, and compares what comes out with what is there: the
// outputs of each commit by count and checksum, up to the last one; and every page, erased user and fact of each shard as of its checkpoint, byte by
// byte. It is the recovery that a crash before the first checkpoint would need. kData names the first difference.
//
// `work` is an empty directory for the state that it builds; the caller removes it. Requires that nobody writes to the directory meanwhile.
Result<RecountReport> recount(StateReader& reader, const std::string& work, const std::atomic<bool>& stop,
                              const std::function<void(uint64_t consumed_bytes, uint64_t total_bytes)>& progress);

}  // namespace segue::program
