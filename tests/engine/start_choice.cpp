// SPDX-License-Identifier: Apache-2.0
#include "services/engine/start_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(StartChoice, TheStateAtHandIsTaken) { EXPECT_EQ(choose_start({.low_watermark = 5, .own_state = 5}).from, StartFrom::kOwnState); }

TEST(StartChoice, ASnapshotMustBeFarAheadToBeWorthItsCopy) {
  EXPECT_EQ(choose_start({.own_state = 10, .snapshot = 10 + kWorthASnapshot}).from, StartFrom::kOwnState);
  EXPECT_EQ(choose_start({.own_state = 10, .snapshot = 11 + kWorthASnapshot}).from, StartFrom::kSnapshot);
}

TEST(StartChoice, StateThatTheLogNoLongerReachesIsPassedOver) {
  EXPECT_EQ(choose_start({.low_watermark = 6, .own_state = 5, .snapshot = 7}).from, StartFrom::kSnapshot);
  EXPECT_EQ(choose_start({.low_watermark = 6, .own_state = 5, .snapshot = 5}).from, StartFrom::kBeginning);
}

TEST(StartChoice, WithoutStateTheSnapshotIsTaken) { EXPECT_EQ(choose_start({.snapshot = 3, .first_position = 0}).from, StartFrom::kSnapshot); }

TEST(StartChoice, AShardThatNeverCommittedBeginsWhereverItsLogDoes) { EXPECT_EQ(choose_start({.low_watermark = 1'000}).from, StartFrom::kBeginning); }

TEST(StartChoice, TheBeginningNeedsTheLogSinceTheFirstCommit) {
  EXPECT_EQ(choose_start({.low_watermark = 7, .first_position = 7}).from, StartFrom::kBeginning);
  const StartChoice choice = choose_start({.low_watermark = 8, .own_state = 6, .first_position = 7});
  EXPECT_EQ(choice.from, StartFrom::kNothing);
  EXPECT_THAT(choice.reason, AllOf(HasSubstr("begins at 8"), HasSubstr("stands at 6"), HasSubstr("snapshot is missing"), HasSubstr("began at 7")));
}

}  // namespace
}  // namespace segue::engine
