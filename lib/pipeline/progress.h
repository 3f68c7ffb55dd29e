// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "lib/event/event_type.h"
#include "lib/event/reject_reason.h"

namespace segue::pipeline {

// What a shard's pipeline has done, for a progress bar and metrics: written by its thread after each batch, read by any. Counters start with the
// process, replayed commits not included, and count at commit unless said.
struct Progress {
  using Count = std::atomic<uint64_t>;

  Count records{0};      // events of this shard's users and, in the first shard, dead letters; at once
  Count replayed{0};     // events applied again after a restart; at once
  std::array<Count, event::kRejectReasons> rejects{};
  Count transitions{0};
  Count commits{0};
  Count committed_bytes{0};
  Count checkpoints{0};
  Count checkpoint_pages{0};

  // As of now
  std::atomic<int64_t> clock_ms{0};
  Count users{0};
  Count cached_profiles{0};
  Count dirty_profiles{0};
  Count timers{0};
  Count duplicates{0};   // totals of the shard's whole life, as the next ones
  Count erased{0};
  Count timers_fired{0};
  Count cache_hits{0};   // since the process started
  Count cache_misses{0};
  Count memory_bytes{0};
  std::array<Count, event::kEventTypes> applied{};
};

}  // namespace segue::pipeline
