// SPDX-License-Identifier: Apache-2.0
#include "lib/base/money.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace segue {
namespace {

constexpr int64_t kMicros = 1'000'000;

__extension__ using Wide = __int128;  // products of two int64 cannot overflow it

Money clamped(Wide micros) {
  constexpr auto kMin = std::numeric_limits<int64_t>::min();
  constexpr auto kMax = std::numeric_limits<int64_t>::max();
  if (micros > kMax) return {kMax};
  if (micros < kMin) return {kMin};
  return {static_cast<int64_t>(micros)};
}

}  // namespace

std::optional<Money> money_from_price(double price) {
  if (!(price >= 0 && price <= kMaxPrice)) return std::nullopt;
  return Money{std::llround(price * static_cast<double>(kMicros))};
}

Money add(Money a, Money b) { return clamped(static_cast<Wide>(a.micros) + b.micros); }
Money subtract(Money a, Money b) { return clamped(static_cast<Wide>(a.micros) - b.micros); }
Money multiply(Money price, int64_t quantity) { return clamped(static_cast<Wide>(price.micros) * quantity); }

void append_money(std::string& out, Money amount) {
  // The magnitude as unsigned, so that the smallest int64 has one.
  const uint64_t magnitude = amount.micros < 0 ? 0 - static_cast<uint64_t>(amount.micros) : static_cast<uint64_t>(amount.micros);
  if (amount.micros < 0) out.push_back('-');
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, magnitude / kMicros).ptr);
  uint64_t fraction = magnitude % kMicros;
  if (fraction == 0) return;
  char places[7] = {'.'};
  for (int i = 6; i >= 1; --i, fraction /= 10) places[i] = static_cast<char>('0' + fraction % 10);
  size_t length = 7;
  while (places[length - 1] == '0') --length;
  out.append(places, length);
}

}  // namespace segue
