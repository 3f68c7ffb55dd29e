// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/time.h"

namespace segue::segment {

// A yearly day: month and day of a birthday. 29 February falls on the 28th in years without one.
struct YearlyDay {
  unsigned month = 1;
  unsigned day = 1;
};
// From "1990-05-17" or "05-17".
std::optional<YearlyDay> find_yearly_day(std::string_view text);

// The days of one time zone: a table of UTC offsets, read once, so that what is computed with it is a function of its arguments. It reaches from 1970
// to 2100; the zone database of most systems lists daylight saving until 2037, and after its last change the offset stays.
class LocalCalendar {
 public:
  // UTC.
  LocalCalendar();
  // Empty for a name that the system's IANA time zone database does not have.
  static std::optional<LocalCalendar> load(const std::string& zone);

  const std::string& zone() const { return zone_; }
  std::chrono::local_days day(Time t) const;
  // Until when day(t) is certain to stay: the next midnight, or an earlier change of the offset.
  Time day_holds_until(Time t) const;
  // The moment of a local date and time. Where clocks go back, the first of the two; where they skip it, the moment of the skip.
  Time from_local(int64_t local_ms) const;

  // 0 today, 1 tomorrow, …
  int64_t days_until(YearlyDay yearly, Time t) const;
  // Monday to Sunday.
  bool falls_in_week(YearlyDay yearly, Time t) const;
  bool falls_in_month(YearlyDay yearly, Time t) const;

  // The whole table as text: two tables that print alike compute alike.
  void print(std::string& out) const;

 private:
  struct Offset {
    Time begin;
    Duration offset;  // local time less UTC
  };
  // Index of the offset in force.
  size_t find(Time t) const;

  std::string zone_ = "UTC";
  std::vector<Offset> offsets_;  // ascending; the first begins at kNoTime
};

}  // namespace segue::segment
