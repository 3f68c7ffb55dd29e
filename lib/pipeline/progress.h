// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "lib/event/event_type.h"
#include "lib/event/reject_reason.h"
#include "lib/segment/definitions.h"

namespace segue::pipeline {

// What a shard's pipeline has done, for a progress bar and metrics: written by its thread after each batch, read by any. Counters start with the
// process, replayed commits not included: after every batch `records` is the sum of applied, duplicates, erased and rejects.
struct Progress {
  using Count = std::atomic<uint64_t>;

  explicit Progress(std::shared_ptr<const segment::Definitions> in_force)
      : definitions(std::move(in_force)), moves(definitions->moves().size()), population(definitions->stages().size()) {}

  const std::shared_ptr<const segment::Definitions> definitions;  // in force: what `moves` and `population` follow

  Count records{0};   // events of this shard's users and, in the first shard, dead letters
  Count replayed{0};  // events applied again after a restart
  std::array<Count, event::kRejectReasons> rejects{};
  std::array<Count, event::kEventTypes> applied{};
  Count duplicates{0};
  Count erased{0};
  Count timers_fired{0};
  std::vector<Count> moves;  // by move of the definitions
  Count transitions{0};      // lines of outputs, at commit
  Count commits{0};
  Count committed_bytes{0};
  Count checkpoints{0};
  Count checkpoint_pages{0};
  Count cache_misses{0};

  // As of now
  std::atomic<int64_t> clock_ms{0};
  Count users{0};
  Count cached_profiles{0};
  Count dirty_profiles{0};
  Count timers{0};
  Count memory_bytes{0};
  std::vector<Count> population;  // users by stage
  Count sequence{0};              // of the last settled commit
  Count position{0};              // offset of the input
  Count sweep_left{0};            // users that new definitions have still to be evaluated for
};

}  // namespace segue::pipeline
