// SPDX-License-Identifier: Apache-2.0
#include "lib/pipeline/clock_rule.h"

#include <gtest/gtest.h>

namespace segue::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ClockRule kRule{.heartbeat = seconds(10), .least_step = milliseconds(500)};
constexpr Duration kLateness = seconds(30);
const Time kNow = time_from_ms(1'700'000'000'000);

TEST(ClockRule, AShardThatHasSeenNothingHasNoClockToStep) { EXPECT_FALSE(wants_step(kRule, kNow, kNoTime, kNever, kLateness)); }

TEST(ClockRule, ADueTimerWantsAStep) {
  EXPECT_TRUE(wants_step(kRule, kNow, kNow - seconds(2), kNow - kLateness, kLateness));
  EXPECT_TRUE(wants_step(kRule, kNow, kNow - seconds(2), kNow - kLateness - seconds(5), kLateness));
}

TEST(ClockRule, ATimerThatIsDueOnlyByTheWallClockWaitsForTheLateness) {
  EXPECT_FALSE(wants_step(kRule, kNow, kNow - seconds(2), kNow - kLateness + milliseconds(1), kLateness));
}

TEST(ClockRule, EventsThatCarryTheClockAlongNeedNoStep) {
  EXPECT_FALSE(wants_step(kRule, kNow, kNow - milliseconds(499), kNow - kLateness - seconds(5), kLateness));
  EXPECT_TRUE(wants_step(kRule, kNow, kNow - milliseconds(500), kNow - kLateness - seconds(5), kLateness));
}

TEST(ClockRule, AnIdleClockBeatsWithoutAnyTimer) {
  EXPECT_FALSE(wants_step(kRule, kNow, kNow - seconds(10) + milliseconds(1), kNever, kLateness));
  EXPECT_TRUE(wants_step(kRule, kNow, kNow - seconds(10), kNever, kLateness));
}

TEST(ClockRule, AClockAheadOfTheWallIsLeftAlone) { EXPECT_FALSE(wants_step(kRule, kNow, kNow + seconds(60), kNow - seconds(90), kLateness)); }

}  // namespace
}  // namespace segue::pipeline
