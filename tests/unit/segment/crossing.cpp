// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/crossing.h"

#include <gtest/gtest.h>

#include <random>

namespace segue::segment {
namespace {

constexpr std::array kAll = {Comparison::kEqual,     Comparison::kNotEqual, Comparison::kLess,
                             Comparison::kLessEqual, Comparison::kGreater,  Comparison::kGreaterEqual};

TEST(Crossing, AgeReachesItsLimitAtTheExactMillisecond) {
  const double seen = 1'700'000'000'123;
  const double limit = 30.0 * 86'400'000;
  const Time before = time_from_ms(1'700'000'000'124);
  const Verdict verdict = compare_linear(Comparison::kGreaterEqual, -seen - limit, 1, before);
  EXPECT_FALSE(verdict.value);
  EXPECT_EQ(to_ms(verdict.holds_until), 1'700'000'000'123 + int64_t{30} * 86'400'000);
  EXPECT_EQ(compare_linear(Comparison::kGreater, -seen - limit, 1, before).holds_until, verdict.holds_until + Duration{1});
  EXPECT_EQ(compare_linear(Comparison::kGreaterEqual, -seen - limit, 1, verdict.holds_until).holds_until, kNever);
}

TEST(Crossing, WithoutSlopeNothingTurns) {
  for (const Comparison comparison : kAll) EXPECT_EQ(compare_linear(comparison, 5, 0, time_from_ms(0)).holds_until, kNever);
}

TEST(Crossing, NothingTurnsBetweenNowAndHoldsUntil) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 3000; ++i) {
    const double slope = (random() % 2 == 0 ? 1.0 : -1.0) * static_cast<double>(random() % 1000 + 1) / static_cast<double>(random() % 300 + 1);
    const auto root = static_cast<int64_t>(random() % 100'000);
    const double base = -slope * (static_cast<double>(root) + (i % 3 == 0 ? 0.0 : 0.37));
    const int64_t now = static_cast<int64_t>(random() % 100'000);
    for (const Comparison comparison : kAll) {
      const Verdict verdict = compare_linear(comparison, base, slope, time_from_ms(now));
      ASSERT_GT(to_ms(verdict.holds_until), now);
      const int64_t end = std::min(to_ms(verdict.holds_until), int64_t{200'000});
      for (const int64_t t :
           {now, now + (end - now) / 2, end - 1, std::min(end - 1, std::max(now, root)), std::min(end - 1, std::max(now, root + 1))})
        ASSERT_EQ(holds(comparison, base + slope * static_cast<double>(t), 0), verdict.value)
            << symbol(comparison) << ' ' << base << ' ' << slope << ' ' << now << ' ' << t;
      // An ordering turns exactly there.
      if (verdict.holds_until == kNever || comparison == Comparison::kEqual || comparison == Comparison::kNotEqual) continue;
      ASSERT_NE(holds(comparison, base + slope * static_cast<double>(to_ms(verdict.holds_until)), 0), verdict.value);
    }
  }
}

TEST(Crossing, TurnsThatLieBeyondAllTimeNeverCome) {
  EXPECT_EQ(compare_linear(Comparison::kGreater, -1e30, 1e-9, time_from_ms(0)).holds_until, kNever);
  EXPECT_EQ(compare_linear(Comparison::kGreater, -1e300, 1, time_from_ms(0)).holds_until, kNever);
}

}  // namespace
}  // namespace segue::segment
