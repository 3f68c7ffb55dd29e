// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/iso_time.h"

#include <chrono>

namespace segue::codec {
namespace {

// Takes exactly `digits` digits off the text.
bool take_number(std::string_view& text, size_t digits, int& value) {
  if (text.size() < digits) return false;
  value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// ".339", ".339123": milliseconds.
bool take_fraction(std::string_view& text, int& ms) {
  size_t digits = 0;
  int scale = 100;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits, scale /= 10) ms += (text[digits] - '0') * scale;
  text.remove_prefix(digits);
  return digits > 0;
}

// "Z", "+08:00", "+0800", "+08" or nothing: minutes to the east.
bool take_offset(std::string_view& text, int& minutes) {
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return text.empty();
  const bool west = text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return false;
  int hours = 0, rest = 0;
  if (!take_number(text, 2, hours)) return false;
  if (!text.empty()) {
    take(text, ':');
    if (!take_number(text, 2, rest)) return false;
  }
  if (hours > 23 || rest > 59 || !text.empty()) return false;
  minutes = (west ? -1 : 1) * (hours * 60 + rest);
  return true;
}

}  // namespace

std::optional<Time> parse_iso_time(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, offset = 0;
  if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) || !take(text, '-') || !take_number(text, 2, day))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  if (!text.empty()) {
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
    if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute)) return std::nullopt;
    if (take(text, ':')) {
      if (!take_number(text, 2, second)) return std::nullopt;
      if ((take(text, '.') || take(text, ',')) && !take_fraction(text, ms)) return std::nullopt;
    }
    if (!take_offset(text, offset)) return std::nullopt;
  }
  // 60: a leap second, which Unix time counts as the first second of the next minute.
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute - offset) + std::chrono::seconds(second) + Duration(ms);
}

}  // namespace segue::codec
