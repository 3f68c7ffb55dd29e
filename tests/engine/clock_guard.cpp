// SPDX-License-Identifier: Apache-2.0
#include "services/engine/clock_guard.h"

#include <gtest/gtest.h>

namespace segue::engine {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Time kMorning = time_from_ms(1'700'000'000'000);
constexpr Duration kBound = hours(1);

class ClockGuardTest : public testing::Test {
 protected:
  // `passed` after the start the wall clock is `wrong` ahead of the truth.
  bool judge(Duration passed, Duration wrong) { return guard_.judge(kMorning + passed + wrong, hours(77) + passed, kBound); }

  ClockGuard guard_;
};

TEST_F(ClockGuardTest, WhatPassesSteadilyIsFollowedHoweverLongItTakes) {
  for (int hour = 0; hour < 1000; hour += 9) EXPECT_TRUE(judge(hours(hour), Duration(0)));
  EXPECT_EQ(guard_.ahead(), Duration(0));
}

TEST_F(ClockGuardTest, ASmallJumpIsFollowedAndALargeOneNot) {
  EXPECT_TRUE(judge(minutes(0), Duration(0)));
  EXPECT_TRUE(judge(minutes(1), minutes(60)));
  EXPECT_FALSE(judge(minutes(2), minutes(61)));
  EXPECT_EQ(guard_.ahead(), minutes(61));
}

TEST_F(ClockGuardTest, ManySmallJumpsAreOneLargeOne) {
  EXPECT_TRUE(judge(minutes(0), Duration(0)));
  EXPECT_TRUE(judge(minutes(1), minutes(40)));
  EXPECT_FALSE(judge(minutes(2), minutes(80)));
}

TEST_F(ClockGuardTest, AClockThatComesBackIsFollowedAgain) {
  EXPECT_TRUE(judge(minutes(0), Duration(0)));
  EXPECT_FALSE(judge(minutes(1), hours(5)));
  EXPECT_TRUE(judge(minutes(2), Duration(0)));
  EXPECT_EQ(guard_.ahead(), Duration(0));
}

TEST_F(ClockGuardTest, AClockThatWasBackIsRightWhenItReturns) {
  EXPECT_TRUE(judge(minutes(0), Duration(0)));
  guard_.note_broker(kMorning);
  EXPECT_TRUE(judge(minutes(1), -hours(5)));
  EXPECT_TRUE(judge(minutes(2), Duration(0)));
}

TEST_F(ClockGuardTest, APersonMayConfirmTheJump) {
  EXPECT_TRUE(judge(minutes(0), Duration(0)));
  EXPECT_FALSE(judge(minutes(1), hours(5)));
  guard_.confirm();
  EXPECT_TRUE(judge(minutes(2), hours(5)));
  EXPECT_TRUE(judge(minutes(3), hours(5)));
  EXPECT_FALSE(judge(minutes(4), hours(7))) << "the next one is another";
}

TEST_F(ClockGuardTest, ARecordThatABrokerTookConfirmsIt) {
  EXPECT_TRUE(judge(minutes(0), Duration(0)));
  EXPECT_FALSE(judge(minutes(1), hours(5)));
  guard_.note_broker(kMorning + minutes(1));  // the broker's clock has not jumped
  EXPECT_FALSE(judge(minutes(2), hours(5)));
  guard_.note_broker(kMorning + hours(5));
  guard_.note_broker(kMorning);  // an older one changes nothing
  EXPECT_TRUE(judge(minutes(3), hours(5)));
}

TEST(Uptime, Rises) {
  const auto before = uptime();
  EXPECT_GT(before.count(), 0);
  EXPECT_LE(before, uptime());
}

}  // namespace
}  // namespace segue::engine
