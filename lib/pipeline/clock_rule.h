// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "lib/base/time.h"

namespace segue::pipeline {

// When a shard at the live end of its log follows the wall clock. The numbers decide only when a step is taken; the journal records which.
struct ClockRule {
  Duration heartbeat{10'000};  // an idle shard's clock is never much more than this behind
  // While events carry the clock along a due timer waits for them: a step of its own is a transaction.
  Duration least_step{500};
};

// Whether a step to `now` is wanted. `high`: the shard's largest event time or last step; its clock is this less `lateness`. A shard that has seen
// nothing has nobody whose timer could be due.
constexpr bool wants_step(const ClockRule& rule, Time now, Time high, Time next_timer, Duration lateness) {
  if (high == kNoTime || now - high < rule.least_step) return false;
  return now - high >= rule.heartbeat || (next_timer != kNever && next_timer <= now - lateness);
}

}  // namespace segue::pipeline
