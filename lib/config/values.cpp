// SPDX-License-Identifier: Apache-2.0
#include "lib/config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

namespace segue::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor = 1;
};
// From the largest.
constexpr std::array kSizes = std::to_array<Unit>({{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"", 1}});
constexpr std::array kDurations = std::to_array<Unit>({{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}});

std::optional<uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name = text.substr(static_cast<size_t>(end - text.data()));
  uint64_t product = 0;
  for (const Unit& unit : units)
    if (unit.name == name && !__builtin_mul_overflow(number, unit.factor, &product)) return product;
  return std::nullopt;
}

std::string print_with_unit(uint64_t number, std::span<const Unit> units) {
  for (const Unit& unit : units)
    if (number != 0 && number % unit.factor == 0) return std::to_string(number / unit.factor) + std::string(unit.name);
  return "0" + std::string(units.back().name);
}

}  // namespace

std::optional<uint64_t> parse_count(std::string_view text) { return parse_with_unit(text, std::span(kSizes).last(1)); }
std::optional<uint64_t> parse_size(std::string_view text) { return parse_with_unit(text, kSizes); }
std::optional<uint64_t> parse_duration(std::string_view text) { return parse_with_unit(text, kDurations); }
std::string print_size(uint64_t bytes) { return print_with_unit(bytes, kSizes); }
std::string print_duration(uint64_t ms) { return print_with_unit(ms, kDurations); }

size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table of distances between beginnings of the words.
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t k = 0; k <= b.size(); ++k) row[k] = k;
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (size_t k = 1; k <= b.size(); ++k) {
      row[k] = std::min({above[k] + 1, row[k - 1] + 1, above[k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1)});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) row[k] = std::min(row[k], before[k - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace segue::config
