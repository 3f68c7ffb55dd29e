// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "lib/event/event_type.h"

namespace segue::shard {

// Counts since the shard's beginning. Part of its state: the same after any crash.
struct Totals {
  std::array<uint64_t, event::kEventTypes> applied = {};
  uint64_t duplicates = 0;  // the event_id was among the user's last
  uint64_t erased = 0;      // events refused because the user was erased
  uint64_t timers = 0;      // deadlines that fired
  uint64_t outputs = 0;
  std::vector<uint64_t> moves;    // by move of the definitions
  std::vector<uint64_t> entered;  // by definition: entered or tagged
  std::vector<uint64_t> left;     // by definition: left or untagged

  friend bool operator==(const Totals&, const Totals&) = default;
};

}  // namespace segue::shard
