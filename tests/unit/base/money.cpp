// SPDX-License-Identifier: Apache-2.0
#include "lib/base/money.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace segue {
namespace {

constexpr Money kMost{std::numeric_limits<int64_t>::max()};
constexpr Money kLeast{std::numeric_limits<int64_t>::min()};

std::string text(Money amount) {
  std::string out;
  append_money(out, amount);
  return out;
}

TEST(Money, PriceIsRoundedToTheNearestMillionth) {
  EXPECT_EQ(money_from_price(129.9), Money{129'900'000});
  EXPECT_EQ(money_from_price(0), Money{0});
  EXPECT_EQ(money_from_price(0.0000014), Money{1});
  EXPECT_EQ(money_from_price(0.0000016), Money{2});
  EXPECT_EQ(money_from_price(kMaxPrice), Money{1'000'000'000'000'000});
}

TEST(Money, PriceThatNoShopAsksIsRefused) {
  EXPECT_FALSE(money_from_price(-0.01));
  EXPECT_FALSE(money_from_price(kMaxPrice * 1.0000001));
  EXPECT_FALSE(money_from_price(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(money_from_price(std::numeric_limits<double>::infinity()));
}

TEST(Money, TenthsAddUpExactly) {
  Money sum;
  for (int i = 0; i < 10; ++i) sum = add(sum, *money_from_price(0.1));
  EXPECT_EQ(sum, *money_from_price(1));
}

TEST(Money, SumsStopAtTheEndsOfTheRange) {
  EXPECT_EQ(add(kMost, Money{1}), kMost);
  EXPECT_EQ(add(kLeast, Money{-1}), kLeast);
  EXPECT_EQ(subtract(kLeast, Money{1}), kLeast);
  EXPECT_EQ(subtract(Money{0}, kLeast), kMost);
}

TEST(Money, ProductsStopAtTheEndsOfTheRange) {
  EXPECT_EQ(multiply(Money{129'900'000}, 3), Money{389'700'000});
  EXPECT_EQ(multiply(kMost, 2), kMost);
  EXPECT_EQ(multiply(kMost, -2), kLeast);
  EXPECT_EQ(multiply(kLeast, std::numeric_limits<int64_t>::min()), kMost);
}

TEST(Money, IsWrittenInItsShortestDecimalForm) {
  EXPECT_EQ(text(Money{129'900'000}), "129.9");
  EXPECT_EQ(text(Money{5'000'000}), "5");
  EXPECT_EQ(text(Money{0}), "0");
  EXPECT_EQ(text(Money{-1}), "-0.000001");
  EXPECT_EQ(text(Money{10'050'000}), "10.05");
  EXPECT_EQ(text(kMost), "9223372036854.775807");
  EXPECT_EQ(text(kLeast), "-9223372036854.775808");
}

}  // namespace
}  // namespace segue
