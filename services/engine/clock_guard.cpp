// SPDX-License-Identifier: Apache-2.0
#include "services/engine/clock_guard.h"

#include <algorithm>
#include <ctime>

namespace segue::engine {

std::chrono::nanoseconds uptime() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

bool ClockGuard::judge(Time wall, std::chrono::nanoseconds uptime, Duration bound) {
  const Duration offset = wall.time_since_epoch() - std::chrono::duration_cast<Duration>(uptime);
  const Time broker{Duration(broker_.load(std::memory_order_relaxed))};
  const bool broker_agrees = broker != kNoTime && wall <= broker + bound;
  if (!trusted_ || confirmed_.exchange(false)) trusted_ = offset;
  // Never lowered: a clock that was back for a while is right when it returns.
  if (broker_agrees) trusted_ = std::max(*trusted_, offset);
  const Duration ahead = offset - *trusted_;
  ahead_.store(ahead > bound ? ahead.count() : 0, std::memory_order_relaxed);
  return ahead <= bound;
}

void ClockGuard::note_broker(Time appended) {
  const auto count = appended.time_since_epoch().count();
  Time::rep before = broker_.load(std::memory_order_relaxed);
  while (before < count && !broker_.compare_exchange_weak(before, count, std::memory_order_relaxed)) {
  }
}

}  // namespace segue::engine
