// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "lib/base/time.h"

namespace segue::engine {

// Time since the machine started, sleep included: no clock of the day changes it.
std::chrono::nanoseconds uptime();

// Whether the host's clock can be believed. A clock that jumps far ahead would fire timers that are not due, and nobody can take that back; one that
// jumps back fires none. So what passes by the wall clock is compared with what has passed since the first look.
class ClockGuard {
 public:
  // One thread: whether timers may follow `wall`, which is no more than `bound` ahead of what it should be.
  bool judge(Time wall, std::chrono::nanoseconds uptime, Duration bound);

  // Any thread, as all below. A broker's clock stood at `appended` when it took a record: a wall clock that is not far ahead of it is right.
  void note_broker(Time appended);
  // A person says that the clock is right.
  void confirm() { confirmed_ = true; }
  // By how much the clock is ahead while it is not followed; else 0.
  Duration ahead() const { return Duration(ahead_.load(std::memory_order_relaxed)); }

 private:
  std::optional<Duration> trusted_;  // wall clock less uptime
  std::atomic<Duration::rep> ahead_{0};
  std::atomic<Time::rep> broker_{kNoTime.time_since_epoch().count()};
  std::atomic<bool> confirmed_{false};
};

}  // namespace segue::engine
