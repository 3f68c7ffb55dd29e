// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/local_calendar.h"

#include <date/tz.h>

#include <algorithm>
#include <exception>

#include "lib/segment/lexer.h"

namespace segue::segment {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::year;
using std::chrono::year_month_day;

// The day on which a yearly day falls in that year.
local_days occurrence(YearlyDay yearly, year in) {
  const year_month_day wanted{in, std::chrono::month{yearly.month}, std::chrono::day{yearly.day}};
  if (wanted.ok()) return local_days{wanted};
  return local_days{year_month_day{in, std::chrono::month{2}, std::chrono::day{28}}};
}

}  // namespace

std::optional<YearlyDay> find_yearly_day(std::string_view text) {
  // A leap year lets 02-29 pass.
  const std::string whole = text.size() == 5 ? "2000-" + std::string(text) : std::string(text);
  int64_t ms = 0;
  if (whole.size() != 10 || !parse_date(whole, ms)) return std::nullopt;
  const year_month_day date{std::chrono::sys_days{days{ms / 86'400'000 - (ms % 86'400'000 < 0 ? 1 : 0)}}};
  return YearlyDay{static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day())};
}

LocalCalendar::LocalCalendar() : offsets_{{kNoTime, Duration{0}}} {}

std::optional<LocalCalendar> LocalCalendar::load(const std::string& zone) {
  LocalCalendar calendar;
  if (zone == "UTC") return calendar;
  calendar.zone_ = zone;
  calendar.offsets_.clear();
  try {
    const date::time_zone* found = date::locate_zone(zone);
    const date::sys_seconds end{date::sys_days{date::year{2100} / 1 / 1}};
    for (date::sys_seconds at{date::sys_days{date::year{1970} / 1 / 1}}; at < end;) {
      const date::sys_info info = found->get_info(at);
      const Duration offset{info.offset};
      const Time begin = calendar.offsets_.empty() ? kNoTime : Time{Duration{at.time_since_epoch()}};
      if (calendar.offsets_.empty() || calendar.offsets_.back().offset != offset) calendar.offsets_.push_back({begin, offset});
      if (info.end <= at) break;
      at = info.end;
    }
  } catch (const std::exception&) {
    // The library's only way to say that the name, or the whole database, is not there.
    return std::nullopt;
  }
  return calendar;
}

size_t LocalCalendar::find(Time t) const {
  const auto after = std::upper_bound(offsets_.begin(), offsets_.end(), t, [](Time time, const Offset& offset) { return time < offset.begin; });
  return static_cast<size_t>(after - offsets_.begin()) - 1;
}

local_days LocalCalendar::day(Time t) const {
  return std::chrono::floor<days>(std::chrono::local_time<Duration>{t.time_since_epoch() + offsets_[find(t)].offset});
}

Time LocalCalendar::day_holds_until(Time t) const {
  const size_t at = find(t);
  const Time midnight{Duration{(day(t) + days{1}).time_since_epoch()} - offsets_[at].offset};
  return at + 1 < offsets_.size() ? std::min(midnight, offsets_[at + 1].begin) : midnight;
}

Time LocalCalendar::from_local(int64_t local_ms) const {
  for (size_t i = 0; i < offsets_.size(); ++i) {
    const Time end = i + 1 < offsets_.size() ? offsets_[i + 1].begin : kNever;
    const Time t = time_from_ms(local_ms) - offsets_[i].offset;
    if (t < end) return std::max(t, offsets_[i].begin);
  }
  return kNever;
}

int64_t LocalCalendar::days_until(YearlyDay yearly, Time t) const {
  const local_days today = day(t);
  const year this_year = year_month_day{today}.year();
  const local_days next = occurrence(yearly, this_year);
  return ((next >= today ? next : occurrence(yearly, this_year + std::chrono::years{1})) - today).count();
}

bool LocalCalendar::falls_in_week(YearlyDay yearly, Time t) const {
  const local_days today = day(t);
  const local_days monday = today - (std::chrono::weekday{today} - std::chrono::Monday);
  // A week may lie in two years.
  for (const local_days edge : {monday, monday + days{6}}) {
    const local_days falls = occurrence(yearly, year_month_day{edge}.year());
    if (falls >= monday && falls <= monday + days{6}) return true;
  }
  return false;
}

bool LocalCalendar::falls_in_month(YearlyDay yearly, Time t) const { return static_cast<unsigned>(year_month_day{day(t)}.month()) == yearly.month; }

void LocalCalendar::print(std::string& out) const {
  for (const Offset& offset : offsets_) {
    out += offset.begin == kNoTime ? "start" : std::to_string(to_ms(offset.begin));
    out += '+';
    out += std::to_string(offset.offset.count());
    out += ' ';
  }
}

}  // namespace segue::segment
