// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace segue {

using Duration = std::chrono::milliseconds;
// Event time: milliseconds since 1970-01-01T00:00:00Z, as in the canonical event's "ts".
using Time = std::chrono::sys_time<Duration>;

// After every time: a value that holds for ever, a timer that is not set.
inline constexpr Time kNever = Time::max();
// Before every time: nothing has happened yet.
inline constexpr Time kNoTime = Time::min();
// The last millisecond of the year 9999. An event later than this is refused, so that sums with windows cannot overflow.
inline constexpr Time kLatestTime{Duration{253'402'300'799'999}};

constexpr Time time_from_ms(int64_t ms) { return Time{Duration{ms}}; }
constexpr int64_t to_ms(Time t) { return t.time_since_epoch().count(); }

}  // namespace segue
