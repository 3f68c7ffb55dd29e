// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "tests/unit/shard/shard_fixture.h"

namespace segue::shard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Shard, AnEventsOutputsNameItAndATimersTheDeadline) {
  Machine machine;
  machine.run(Log().add(EventType::kPurchase, "ada", 0).add(EventType::kPurchase, "ada", 10));
  machine.advance(10 + kHour + kLateness);
  EXPECT_THAT(machine.told, ElementsAre("ada#1 new-to-buyer @0 e0", "ada#2 +regular @10 e1", "ada#3 buyer-to-lapsed @3600010"));
}

TEST(Shard, NewcomersAreNotWanted) {
  Machine machine;
  Log log;
  log.add(EventType::kView, "ada", 0).add(EventType::kView, "ada", 1);
  EXPECT_EQ(machine.shard.begin(log.steps(), log.high()), 2u);
  EXPECT_THAT(machine.shard.wanted(), IsEmpty());
}

TEST(Shard, WhoIsNotInMemoryIsWantedOnceHoweverOftenNamed) {
  Machine machine(0);
  machine.run(Log().add(EventType::kPurchase, "ada", 0).add(EventType::kPurchase, "bob", 0).add(EventType::kPurchase, "carol", 5 * kHour));
  forget(machine);
  ASSERT_EQ(machine.shard.cache().size(), 0u);
  // Bob three times as himself; Carol by her timer alone, and Ada not at all: she has lapsed.
  Log log;
  log.foreign(9 * kHour).add(EventType::kView, "bob", 1).add(EventType::kView, "bob", 2).add(EventType::kView, "bob", 3);
  machine.shard.begin(log.steps(), log.high());
  EXPECT_THAT(machine.shard.wanted(), ElementsAre(machine.shard.find_user("bob"), machine.shard.find_user("carol")));
}

TEST(Shard, WhoIsInMemoryIsNotWanted) {
  Machine machine;
  machine.run(Log().add(EventType::kPurchase, "ada", 0));
  Log log;
  log.add(EventType::kView, "ada", 9 * kHour);
  machine.shard.begin(log.steps(), log.high());
  EXPECT_THAT(machine.shard.wanted(), IsEmpty());
}

TEST(Shard, ATimerThatWasPutOffWakesNobody) {
  Machine machine(0);
  machine.run(Log().add(EventType::kPurchase, "ada", 0).add(EventType::kPurchase, "ada", kHour / 2));
  forget(machine);
  machine.shard.begin({}, time_from_ms(kHour + kLateness));
  EXPECT_THAT(machine.shard.wanted(), IsEmpty());
  machine.shard.run(machine, machine.keep);
  EXPECT_EQ(machine.shard.timers_pending(), 1u);
  machine.told.clear();
  machine.advance(2 * kHour);
  EXPECT_THAT(machine.told, ElementsAre("ada#3 buyer-to-lapsed @5400000"));
}

TEST(Shard, ABareAdvanceOfTheClockFiresToTheMillisecond) {
  Machine machine;
  machine.run(Log().add(EventType::kPurchase, "ada", 7));
  machine.told.clear();
  machine.advance(7 + kHour + kLateness - 1);
  EXPECT_THAT(machine.told, IsEmpty());
  EXPECT_EQ(machine.shard.timers_pending(), 1u);
  machine.advance(7 + kHour + kLateness);
  EXPECT_THAT(machine.told, ElementsAre("ada#2 buyer-to-lapsed @3600007"));
  EXPECT_EQ(machine.shard.clock(), time_from_ms(7 + kHour));
}

TEST(Shard, AForeignEventMovesTheClockBeforeTheStep) {
  Machine machine;
  // The foreign event lies between the two: Ada has lapsed when her late purchase comes.
  machine.run(Log().add(EventType::kPurchase, "ada", 0).foreign(2 * kHour).add(EventType::kPurchase, "ada", kHour + 5));
  EXPECT_THAT(machine.told, ElementsAre("ada#1 new-to-buyer @0 e0", "ada#2 buyer-to-lapsed @3600000", "ada#3 lapsed-to-buyer @3600005 e1",
                                        "ada#4 +regular @3600005 e1"));
  EXPECT_EQ(machine.shard.high(), time_from_ms(2 * kHour));
}

TEST(Shard, TheClockIsUnknownBeforeTheFirstEvent) {
  Machine machine;
  machine.shard.begin({}, kNoTime);
  machine.shard.run(machine, machine.keep);
  EXPECT_EQ(machine.shard.clock(), kNoTime);
  EXPECT_EQ(machine.shard.high(), kNoTime);
}

TEST(Shard, ATimerOfBeforeDoesNotMultiply) {
  Machine machine;
  // The cart's look after a minute comes before the lapse, which is armed again behind it: two entries for one hour, and one of them must go.
  machine.run(Log()
                  .add(EventType::kPurchase, "ada", 0)
                  .add(EventType::kCart, "ada", 10'000)
                  .add(EventType::kView, "bob", 120'000)
                  .add(EventType::kPurchase, "ada", kHour / 2));
  machine.advance(kHour + 10 * kLateness);
  EXPECT_EQ(machine.shard.timers_pending(), 1u);
  machine.advance(3 * kHour);
  EXPECT_EQ(machine.shard.timers_pending(), 0u);
  EXPECT_EQ(machine.shard.totals().timers, 2u);
}

TEST(Shard, TheSameStepsGiveTheSameInBatchesOfOneWithoutACache) {
  Log log;
  for (int64_t i = 0; i < 400; ++i)
    log.add(i % 3 == 0     ? EventType::kPurchase
            : i % 41 == 40 ? EventType::kDelete
                           : EventType::kView,
            id_of(static_cast<size_t>(i * 7 % 13)), i * kHour / 9);
  Machine whole;
  whole.run(log);
  Machine single(0);
  for (const Step& step : log.steps()) {
    single.run({&step, 1}, step.high);
    single.checkpoint();
    single.shard.trim();
  }
  EXPECT_EQ(single.told, whole.told);
  EXPECT_EQ(single.shard.totals(), whole.shard.totals());
  EXPECT_EQ(single.shard.population(), whole.shard.population());
  EXPECT_LT(single.shard.cache().size(), 3u);
}

TEST(Shard, ARestoredShardGoesOnWithTheSameOutputs) {
  Log log;
  for (int64_t i = 0; i < 300; ++i)
    log.add(i % 4 == 0     ? EventType::kPurchase
            : i % 29 == 28 ? EventType::kDelete
                           : EventType::kView,
            id_of(static_cast<size_t>(i * 5 % 11)), i * kHour / 7);
  Machine whole;
  whole.run(log);
  for (const size_t half : {1u, 29u, 150u, 290u}) {
    SCOPED_TRACE(half);
    Machine before;
    before.run(log.steps().first(half), log.steps()[half - 1].high);
    before.checkpoint();
    Machine after;
    after.restore(before);
    EXPECT_EQ(after.shard.population(), before.shard.population());
    EXPECT_EQ(after.shard.users(), before.shard.users());
    EXPECT_EQ(after.shard.timers_pending(), before.shard.users() - before.shard.population()[0] - before.shard.population()[2]);
    after.run(log.steps().subspan(half), log.high());
    std::vector<std::string> told = before.told;
    told.insert(told.end(), after.told.begin(), after.told.end());
    EXPECT_EQ(told, whole.told);
    EXPECT_EQ(after.shard.totals(), whole.shard.totals());
    EXPECT_EQ(after.shard.population(), whole.shard.population());
    EXPECT_EQ(after.shard.state().next_number, whole.shard.state().next_number);
  }
}

TEST(Shard, ARestoredNumberIsNotGivenAgainThoughItsUserWasErased) {
  Machine before;
  before.run(Log().add(EventType::kView, "ada", 0).add(EventType::kView, "bob", 1).add(EventType::kDelete, "bob", 2));
  before.checkpoint();
  Machine after;
  after.restore(before);
  after.run(Log().add(EventType::kView, "carol", 3));
  EXPECT_EQ(after.shard.find_user("carol"), 2u);
}

TEST(Shard, PopulationAndTotalsCountWhatHappened) {
  Machine machine;
  machine.run(Log()
                  .add(EventType::kView, "ada", 0)
                  .add(EventType::kPurchase, "bob", 1)
                  .add(EventType::kPurchase, "bob", 2, "twice")
                  .add(EventType::kPurchase, "bob", 2, "twice")
                  .add(EventType::kPurchase, "carol", 3)
                  .add(EventType::kView, "dan", 4)
                  .add(EventType::kDelete, "dan", 5)
                  .add(EventType::kView, "dan", 5)
                  .add(EventType::kView, "ada", 2 * kHour));
  const Totals& totals = machine.shard.totals();
  EXPECT_THAT(machine.shard.population(), ElementsAre(1, 0, 2));
  EXPECT_EQ(machine.shard.users(), 3u);
  EXPECT_EQ(totals.applied[event::index(EventType::kView)], 3u);
  EXPECT_EQ(totals.applied[event::index(EventType::kPurchase)], 3u);
  EXPECT_EQ(totals.applied[event::index(EventType::kDelete)], 1u);
  EXPECT_EQ(totals.duplicates, 1u);
  EXPECT_EQ(totals.erased, 1u);
  EXPECT_EQ(totals.timers, 2u);
  EXPECT_THAT(totals.moves, ElementsAre(2, 2, 0));
  EXPECT_THAT(totals.entered, ElementsAre(1, 2, 0));  // "seen" counts, though nobody is told
  EXPECT_EQ(totals.outputs, 6u);                      // 2 + 2 moves, 1 tag, 1 erasure
  EXPECT_EQ(machine.told.size(), 6u);
}

TEST(Shard, AnErasureLeavesARemovalAndTheKeyedHash) {
  Machine machine;
  machine.run(Log().add(EventType::kPurchase, "ada", 100).add(EventType::kDelete, "ada", 50));
  const auto removals = machine.shard.take_removals();
  ASSERT_EQ(removals.size(), 1u);
  EXPECT_EQ(removals[0].user_id, "ada");
  EXPECT_EQ(removals[0].keyed_id, keyed_hash("ada", kKey));
  EXPECT_EQ(machine.shard.erased(removals[0].keyed_id).until, time_from_ms(100));  // not only up to the delete's own time
  EXPECT_EQ(machine.shard.erased(removals[0].keyed_id).outputs, 2u);
  EXPECT_THAT(machine.shard.take_removals(), IsEmpty());
  EXPECT_EQ(machine.shard.users(), 0u);
  machine.advance(9 * kHour);
  EXPECT_EQ(machine.shard.totals().timers, 0u);
}

TEST(Shard, WhoComesBackIsANewUserWhoseNumbersGoOn) {
  Machine machine;
  machine.run(Log()
                  .add(EventType::kPurchase, "ada", 100)
                  .add(EventType::kDelete, "ada", 200)
                  .add(EventType::kPurchase, "ada", 200)
                  .add(EventType::kPurchase, "ada", 201)
                  .add(EventType::kPurchase, "ada", 150));
  EXPECT_THAT(machine.told, ElementsAre("ada#1 new-to-buyer @100 e0", "ada#2 erased @200 e1", "ada#3 new-to-buyer @201 e3"));
  EXPECT_EQ(machine.shard.totals().erased, 2u);
  EXPECT_EQ(machine.shard.find_user("ada"), 1u);
}

TEST(Shard, AFrozenProfileIsKeptBeforeTimerEventOrErasureChangesIt) {
  Machine machine;
  machine.run(Log().add(EventType::kPurchase, "ada", 0).add(EventType::kPurchase, "bob", 0).add(EventType::kPurchase, "carol", 0));
  machine.shard.cache().freeze();
  machine.run(
      Log().add(EventType::kDelete, "ada", 1).add(EventType::kPurchase, "bob", kHour / 2).add(EventType::kView, "dan", kHour + 2 * kLateness));
  EXPECT_EQ(machine.pages.size(), 3u);
  EXPECT_EQ(machine.pages["ada"].orders, 1u);
  EXPECT_EQ(machine.pages["bob"].orders, 1u);
  EXPECT_EQ(machine.pages["carol"].stage, 1);
  EXPECT_TRUE(machine.shard.cache().keep_slice(SIZE_MAX, machine.keep));
  EXPECT_EQ(machine.pages.size(), 3u);  // Dan belongs to the next
}

// Three clean profiles in memory, then bob's changed one, then dan's: two too many.
void change_bob_then_dan(Machine& machine, bool freezes) {
  machine.run(Log().add(EventType::kPurchase, "ada", 0).add(EventType::kPurchase, "bob", 1).add(EventType::kPurchase, "carol", 2));
  machine.checkpoint();
  for (const std::string user : {"bob", "dan"}) {
    Log log;
    log.add(EventType::kView, user, 3);
    machine.shard.begin(log.steps(), log.high());
    machine.shard.run(machine, machine.keep);
    if (freezes && user == "bob") machine.shard.cache().freeze();
  }
  for (int i = 0; i < 8; ++i) machine.shard.trim();
}

TEST(Shard, WhatACheckpointHasNotIsNotEvicted) {
  for (const bool freezes : {false, true}) {
    SCOPED_TRACE(freezes);
    Machine machine(0);
    change_bob_then_dan(machine, freezes);
    EXPECT_EQ(machine.shard.cache().size(), 2u);
    Log log;
    log.add(EventType::kView, "bob", 4);
    machine.shard.begin(log.steps(), log.high());
    EXPECT_THAT(machine.shard.wanted(), IsEmpty());
  }
}

TEST(Shard, TrimEvictsDownToTheCapacityAndTheEvictedAreWantedAgain) {
  Machine machine(2);
  machine.run(many_purchases(10, 1));
  EXPECT_EQ(machine.shard.cache().size(), 10u);  // dirty: a checkpoint has to come first
  EXPECT_FALSE(machine.shard.cache_has_room());
  forget(machine);
  EXPECT_EQ(machine.shard.cache().size(), 2u);
  const Log log = many_purchases(10, 1);
  machine.shard.begin(log.steps(), machine.shard.high());
  EXPECT_EQ(machine.shard.wanted().size(), 8u);
}

}  // namespace
}  // namespace segue::shard
