// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>

#include "tests/unit/shard/shard_fixture.h"

namespace segue::shard {
namespace {

using testing::ElementsAre;

TEST(Shard, ABatchIsCutAfterSoManyTimersAndTheNextGoesOn) {
  constexpr size_t kUsers = Shard::kMaxTimers + 100;
  Machine machine(kUsers);
  machine.run(many_purchases(kUsers, 1));
  machine.told.clear();
  // The first step comes before the cut, the second behind it.
  const int64_t cut = kHour + static_cast<int64_t>(Shard::kMaxTimers) - 1;
  Log log;
  log.add(EventType::kView, "early", kHour + kLateness + 5).add(EventType::kView, "late", 3 * kHour);
  EXPECT_EQ(machine.shard.begin(log.steps(), log.high()), 1u);
  machine.supply_wanted();
  machine.shard.run(machine, machine.keep);
  EXPECT_EQ(machine.told.size(), Shard::kMaxTimers);
  EXPECT_EQ(machine.shard.high(), time_from_ms(cut + kLateness));
  EXPECT_EQ(machine.shard.find_user("late"), kNoUser);
  EXPECT_EQ(machine.run(log.steps().subspan(1), log.high()), 1u);
  EXPECT_EQ(machine.told.size(), kUsers);
  EXPECT_EQ(machine.shard.totals().timers, kUsers);
  for (size_t i = 0; i < kUsers; ++i) ASSERT_EQ(machine.told[i], id_of(i) + "#2 buyer-to-lapsed @" + std::to_string(kHour + static_cast<int64_t>(i)));
}

TEST(Shard, TiesAreCutAndFireInTheOrderOfTheUserIds) {
  constexpr size_t kUsers = 2 * Shard::kMaxTimers + 100;
  Machine machine(kUsers);
  machine.run(many_purchases(kUsers, 0));
  machine.told.clear();
  // Two batches of so many, the rest, and the way to the end.
  EXPECT_EQ(machine.run({}, time_from_ms(5 * kHour)), 4u);
  ASSERT_EQ(machine.told.size(), kUsers);
  EXPECT_TRUE(std::is_sorted(machine.told.begin(), machine.told.end()));
}

// Of users whose timers fall on one moment no batch holds more profiles than it fires timers, and an event behind that moment waits for all of them.
TEST(Shard, ABatchOfTiesTakesNoStepAndWantsOnlyItsOwnProfiles) {
  constexpr size_t kUsers = 100, kMost = 30;
  Machine machine(0, kMost);
  machine.run(many_purchases(kUsers, 0));
  machine.checkpoint();
  machine.shard.trim();
  machine.told.clear();
  Log log;
  log.add(EventType::kView, "early", kHour).add(EventType::kView, "late", kHour + kLateness);
  std::span<const Step> steps = log.steps();
  std::vector<size_t> fired, taken;
  do {
    const size_t before = machine.told.size();
    taken.push_back(machine.shard.begin(steps, log.high()));
    EXPECT_LE(machine.shard.wanted().size(), kMost);
    steps = steps.subspan(taken.back());
    machine.supply_wanted();
    machine.shard.run(machine, machine.keep);
    machine.checkpoint();
    machine.shard.trim();
    fired.push_back(machine.told.size() - before);
  } while (!steps.empty() || machine.shard.cut());
  EXPECT_THAT(taken, ElementsAre(1, 0, 0, 0, 1));
  EXPECT_THAT(fired, ElementsAre(0, kMost, kMost, kMost, 10));
  EXPECT_TRUE(std::is_sorted(machine.told.begin(), machine.told.end()));
}

TEST(Shard, ABatchOfTiesThatWasNotRunLosesNone) {
  Machine machine(1000, 3);
  machine.run(many_purchases(10, 0));
  machine.told.clear();
  machine.shard.begin({}, time_from_ms(kHour + kLateness));  // and then a page could not be read
  machine.run({}, time_from_ms(kHour + kLateness));
  EXPECT_EQ(machine.told.size(), 10u);
  EXPECT_TRUE(std::is_sorted(machine.told.begin(), machine.told.end()));
}

TEST(Shard, TiesAreCutAfterAsManyTimersAsAReplayIsTold) {
  Machine machine;
  machine.run(many_purchases(10, 0));
  machine.told.clear();
  const auto fire = [&](uint64_t most) {
    machine.shard.begin({}, time_from_ms(kHour + kLateness), most);
    machine.shard.run(machine, machine.keep);
    return machine.told.size();
  };
  EXPECT_EQ(fire(4), 4u);
  EXPECT_TRUE(machine.shard.cut());
  EXPECT_EQ(fire(6), 10u);
  EXPECT_FALSE(machine.shard.cut());
}

TEST(Shard, ADeadlineArmedWithinTheBatchFiresInItsTurn) {
  // One batch: Bob's purchase arms a timer between Ada's and Carol's, all three before the last step's clock.
  Machine machine;
  machine.run(Log()
                  .add(EventType::kPurchase, "ada", 0)
                  .add(EventType::kPurchase, "carol", 20)
                  .add(EventType::kPurchase, "bob", 10)
                  .add(EventType::kView, "ada", 9 * kHour));
  EXPECT_THAT(machine.told, ElementsAre("ada#1 new-to-buyer @0 e0", "carol#1 new-to-buyer @20 e1", "bob#1 new-to-buyer @10 e2",
                                        "ada#2 buyer-to-lapsed @3600000", "bob#2 buyer-to-lapsed @3600010", "carol#2 buyer-to-lapsed @3600020"));
}

TEST(Shard, AnErasedUsersTimerDoesNotDisturbTheOrderOfTies) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<size_t> users(20);
    std::iota(users.begin(), users.end(), size_t{0});
    std::shuffle(users.begin(), users.end(), random);
    // All in one batch: their deadlines wait in the heap while one of them is erased and others are added.
    Log log;
    for (size_t i = 0; i < users.size(); ++i) {
      log.add(EventType::kPurchase, id_of(users[i]), 0);
      if (i == 8) log.add(EventType::kDelete, id_of(users[random() % 8]), 0);
    }
    log.add(EventType::kView, "last", 2 * kHour);
    Machine machine;
    machine.run(log);
    ASSERT_EQ(machine.told.size(), 20u + 1 + 19);
    ASSERT_TRUE(std::is_sorted(machine.told.begin() + 21, machine.told.end())) << "round " << round;
  }
}

}  // namespace
}  // namespace segue::shard
