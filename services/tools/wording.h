// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/money.h"
#include "lib/base/time.h"
#include "lib/segment/definitions.h"

namespace segue::tools {

// Numbers and times as people read them.

std::string grouped(uint64_t number);                                               // 1,234,567
std::string counted(uint64_t number, std::string_view one, std::string_view many);  // 1 click, 2 clicks
std::string percent(uint64_t part, uint64_t whole);                                 // "12.3 %"; empty without a whole
std::string bytes_text(uint64_t bytes);                                             // 12.3 MB
std::string rate_text(double per_second);                                           // 812,345/s
std::string money_text(Money amount);                                               // 1,234.5
std::string number_text(double number);                                             // 0.4123, 12; at most four digits behind the point
// The two largest units: "30 d", "6 d 4 h", "1 h 5 min", "12 s", "0.25 s".
std::string duration_text(Duration duration);

// Local date and time of one zone. The zone is the process's (the C library knows only one): make one of these at the start of a command.
class LocalClock {
 public:
  explicit LocalClock(const std::string& iana_zone);
  const std::string& zone() const { return zone_; }
  // "2026-03-02 14:05:11"; "never" and "-" for times that are none. With `ms` behind the seconds where they are not zero.
  std::string text(Time t) const;

 private:
  std::string zone_;
};

// The value of a condition's left-hand side.
std::string compared_text(segment::ComparedUnit unit, double value, const LocalClock& clock);

}  // namespace segue::tools
