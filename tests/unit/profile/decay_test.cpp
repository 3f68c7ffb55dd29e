// SPDX-License-Identifier: Apache-2.0
#include "lib/profile/decay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace segue::profile {
namespace {

constexpr Duration kWeek = std::chrono::days{7};
constexpr Time kNow = time_from_ms(1'700'000'000'123);

TEST(Decay, Exp2HasARelativeErrorBelowOneInTenToThe15th) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> any(-900, 900);
  for (int i = 0; i < 200'000; ++i) {
    const double x = i % 2 == 0 ? any(random) : any(random) / 900;
    const long double exact = exp2l(x);
    ASSERT_LT(fabsl((exact_exp2(x) - exact) / exact), 1e-15L) << x;
  }
}

TEST(Decay, Exp2OfAWholeNumberIsExact) {
  for (int n = -1000; n <= 1000; ++n) ASSERT_EQ(exact_exp2(n), std::ldexp(1.0, n)) << n;
}

TEST(Decay, Exp2StopsAtTheEndsOfItsRange) {
  EXPECT_EQ(exact_exp2(-1000.5), 0);
  EXPECT_EQ(exact_exp2(1e9), exact_exp2(1000));
}

TEST(Decay, WeightHalvesWithEachHalfLife) {
  const Time landmark = landmark_for(kNow, kWeek);
  const double stored = 5 * landmark_weight(kNow, landmark, kWeek);
  EXPECT_NEAR(weight_at(stored, kNow, landmark, kWeek), 5, 1e-14);
  EXPECT_NEAR(weight_at(stored, kNow + kWeek, landmark, kWeek), 2.5, 1e-14);
  EXPECT_NEAR(weight_at(stored, kNow + 3 * kWeek, landmark, kWeek), 0.625, 1e-14);
}

TEST(Decay, LandmarkIsTheLastWholeHalfLifeAtOrBefore) {
  for (const int64_t ms : {int64_t{0}, int64_t{1}, kWeek.count() - 1, kWeek.count(), to_ms(kNow), int64_t{-1}, -kWeek.count()}) {
    const Time landmark = landmark_for(time_from_ms(ms), kWeek);
    EXPECT_EQ(to_ms(landmark) % kWeek.count(), 0);
    EXPECT_LE(to_ms(landmark), ms);
    EXPECT_GT(to_ms(landmark) + kWeek.count(), ms);
  }
}

TEST(Decay, TimeOfFallIsTheFirstMillisecondAtOrBelow) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> exponent(-20, 20);
  for (int i = 0; i < 20'000; ++i) {
    const Duration half_life{1 + static_cast<int64_t>(random() % (i % 2 == 0 ? 10'000 : 10'000'000'000))};
    const Time landmark = landmark_for(kNow, half_life);
    const double stored = std::exp2(exponent(random));
    const double threshold = std::exp2(exponent(random));
    const Time fall = time_of_fall(stored, threshold, kNow, landmark, half_life);
    ASSERT_LE(weight_at(stored, fall, landmark, half_life), threshold);
    if (fall == kNow) continue;
    ASSERT_GT(fall, kNow);
    ASSERT_GT(weight_at(stored, fall - Duration{1}, landmark, half_life), threshold);
  }
}

TEST(Decay, TimeOfFallIsNowForALightWeightAndNeverForNoThreshold) {
  EXPECT_EQ(time_of_fall(0.1, 0.4, kNow, kNow, kWeek), kNow);
  EXPECT_EQ(time_of_fall(0.4, 0.4, kNow, kNow, kWeek), kNow);
  EXPECT_EQ(time_of_fall(0.8, 0.4, kNow, kNow, kWeek), kNow + kWeek);
  EXPECT_EQ(time_of_fall(0.1, 0, kNow, kNow, kWeek), kNever);
  EXPECT_EQ(time_of_fall(0.1, -1, kNow, kNow, kWeek), kNever);
}

// Twice the weight one half-life earlier is the same weight: ranks and replacements must see a tie, whatever the fraction.
TEST(Decay, WeightsThatAreWholeHalfLivesApartHaveExactlyTheirRatio) {
  constexpr Duration kHalfLife = std::chrono::days{7};
  const Time landmark = landmark_for(time_from_ms(1'700'000'000'000), kHalfLife);
  for (int64_t ms = 0; ms < 604'800'000; ms += 1'234'567) {
    const Time t = landmark + Duration{ms};
    ASSERT_EQ(2 * landmark_weight(t, landmark, kHalfLife), landmark_weight(t + kHalfLife, landmark, kHalfLife)) << ms;
    ASSERT_EQ(landmark_weight(t - 3 * kHalfLife, landmark, kHalfLife), landmark_weight(t, landmark, kHalfLife) / 8) << ms;
  }
}

}  // namespace
}  // namespace segue::profile
