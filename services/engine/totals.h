// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "services/engine/partition_view.h"

namespace segue::engine {

// What shards counted, as plain numbers that can be added.
struct Counted {
  uint64_t records = 0;
  uint64_t replayed = 0;
  std::array<uint64_t, event::kRejectReasons> rejects{};
  std::array<uint64_t, event::kEventTypes> applied{};
  uint64_t duplicates = 0;
  uint64_t erased = 0;
  uint64_t timers_fired = 0;
  uint64_t outputs = 0;
  uint64_t commits = 0;
  uint64_t committed_bytes = 0;
  uint64_t checkpoints = 0;
  uint64_t checkpoint_pages = 0;
  uint64_t cache_misses = 0;
  std::map<std::array<std::string, 3>, uint64_t> moves;  // by move, from, to
  uint64_t aborted = 0;
  uint64_t recycled = 0;
  uint64_t found_in_journal = 0;
  uint64_t without_offsets = 0;
  double commit_seconds = 0;
  std::array<uint64_t, kafka::kCommitBucketSeconds.size() + 1> commit_buckets{};

  void add(const pipeline::Progress& progress);
  void add(const kafka::CommitStatus& commits);
  void add(const Counted& other);
};

// Counters that never fall, although shards come and go. Any thread.
class Totals {
 public:
  // Everything since the process began; `views`: those of all partitions that were ever held.
  Counted collect(const std::vector<std::shared_ptr<PartitionView>>& views);

 private:
  std::mutex mutex_;
  Counted ended_;  // guarded by mutex_
};

}  // namespace segue::engine
