// SPDX-License-Identifier: Apache-2.0
#include "services/tools/wording.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace segue::tools {
namespace {

template <class... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  std::array<char, 128> buffer;
  const int size = std::snprintf(buffer.data(), buffer.size(), format, arguments...);
  return {buffer.data(), static_cast<size_t>(size)};
}

std::string with_groups(std::string digits) {
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

void drop_trailing_zeros(std::string& text) {
  if (text.find('.') == std::string::npos) return;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
}

}  // namespace

std::string grouped(uint64_t number) { return with_groups(std::to_string(number)); }

std::string counted(uint64_t number, std::string_view one, std::string_view many) {
  return grouped(number).append(" ").append(number == 1 ? one : many);
}

std::string percent(uint64_t part, uint64_t whole) {
  if (whole == 0) return {};
  return formatted("%.1f %%", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string bytes_text(uint64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return formatted(unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
}

std::string rate_text(double per_second) { return grouped(static_cast<uint64_t>(per_second < 0 ? 0 : std::llround(per_second))) + "/s"; }

std::string money_text(Money amount) {
  std::string text;
  append_money(text, amount);
  const size_t begin = text.starts_with('-') ? 1 : 0;
  const size_t point = std::min(text.find('.'), text.size());
  return text.substr(0, begin) + with_groups(text.substr(begin, point - begin)) + text.substr(point);
}

std::string number_text(double number) {
  if (std::isnan(number)) return "unknown";
  if (std::isinf(number)) return number > 0 ? "without end" : "-without end";
  std::string text = formatted("%.4f", number);
  drop_trailing_zeros(text);
  return text == "-0" ? "0" : text;
}

std::string duration_text(Duration duration) {
  if (duration < Duration{0}) return std::string("-").append(duration_text(-duration));
  const int64_t ms = duration.count();
  if (ms < 10'000) {
    std::string seconds = formatted("%.3f", static_cast<double>(ms) / 1000);
    drop_trailing_zeros(seconds);
    return seconds + " s";
  }
  struct Unit {
    int64_t ms;
    const char* name;
  };
  static constexpr std::array<Unit, 4> kUnits = {{{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}, {1000, "s"}}};
  for (size_t i = 0; i < kUnits.size(); ++i) {
    if (ms < kUnits[i].ms) continue;
    std::string text = grouped(static_cast<uint64_t>(ms / kUnits[i].ms)) + " " + kUnits[i].name;
    if (i + 1 < kUnits.size())
      if (const int64_t rest = ms % kUnits[i].ms / kUnits[i + 1].ms; rest > 0) text += " " + std::to_string(rest) + " " + kUnits[i + 1].name;
    return text;
  }
  return "0 s";
}

LocalClock::LocalClock(const std::string& iana_zone) : zone_(iana_zone) {
  setenv("TZ", iana_zone.c_str(), 1);
  tzset();
}

std::string LocalClock::text(Time t) const {
  if (t == kNever) return "never";
  if (t == kNoTime) return "-";
  int64_t ms = to_ms(t);
  int64_t seconds = ms / 1000;
  ms %= 1000;
  if (ms < 0) ms += 1000, --seconds;
  const std::time_t time = seconds;
  std::tm local{};
  if (localtime_r(&time, &local) == nullptr) return std::to_string(to_ms(t)) + " ms";
  std::array<char, 64> buffer;
  const size_t size = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M:%S", &local);
  return {buffer.data(), size};
}

std::string compared_text(segment::ComparedUnit unit, double value, const LocalClock& clock) {
  if (std::isnan(value)) return "unknown";
  if (unit == segment::ComparedUnit::kDuration && std::abs(value) < 1e15) return duration_text(Duration{std::llround(value)});
  if (unit == segment::ComparedUnit::kTime && std::abs(value) < 2.6e14) return clock.text(time_from_ms(std::llround(value)));
  return number_text(value);
}

}  // namespace segue::tools
