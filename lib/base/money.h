// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace segue {

// An amount in millionths of the shop's currency. Whole numbers, so that sums do not depend on their order.
struct Money {
  int64_t micros = 0;

  friend constexpr auto operator<=>(Money, Money) = default;
};

// The largest price and the largest line total that an event may carry, in currency units; beyond is a dead letter.
inline constexpr double kMaxPrice = 1e9;
inline constexpr double kMaxLineTotal = 1e12;

// Rounds to the nearest millionth. Empty when not finite, negative or above kMaxPrice.
std::optional<Money> money_from_price(double price);

// Sums and products stop at the ends of the range instead of wrapping.
Money add(Money a, Money b);
Money subtract(Money a, Money b);
Money multiply(Money price, int64_t quantity);

// The shortest decimal form: 129.9, 5, -0.000001.
void append_money(std::string& out, Money amount);

}  // namespace segue
