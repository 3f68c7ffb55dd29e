// SPDX-License-Identifier: Apache-2.0
#include "lib/shard/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <random>
#include <string>

namespace segue::shard {
namespace {

using event::EventType;
using testing::ElementsAre;
using testing::IsEmpty;

// One hour after the last purchase a buyer lapses; the clock is one second behind.
constexpr std::string_view kYaml = R"(
version: 1
settings: {lateness: 1s}
lifecycle:
  stages: [new, buyer, lapsed]
  moves:
    - {from: new, to: buyer, on: purchase}
    - {from: buyer, to: lapsed, when: since(last_purchase) >= 1h}
    - {from: lapsed, to: buyer, on: purchase}
tags:
  - {name: regular, when: orders >= 2}
  - {name: seen, when: count(view) >= 1, announce: false}
  - {name: left, when: since(last(cart)) >= 1m, announce: false}
)";
constexpr std::array<uint8_t, 16> kKey = {1, 2, 3};
constexpr int64_t kHour = 3'600'000;
constexpr int64_t kLateness = 1000;

std::shared_ptr<const segment::Definitions> definitions() {
  static const auto kParsed = std::make_shared<const segment::Definitions>(*segment::Definitions::parse(kYaml, "test.yaml"));
  return kParsed;
}

std::string id_of(size_t number) {
  const std::string digits = std::to_string(number);
  return "u" + std::string(6 - digits.size(), '0') + digits;
}

// Events that stay where they are, and steps over them. `high` follows the events unless a foreign one is added.
class Log {
 public:
  Log() = default;
  Log(Log&&) = default;  // steps point into the deque: no copies
  Log& add(EventType type, const std::string& user, int64_t ts, const std::string& event_id = {}) {
    const std::string_view user_id = texts_.emplace_back(user);
    const std::string_view id = texts_.emplace_back(event_id.empty() ? "e" + std::to_string(events_.size()) : event_id);
    events_.push_back({.type = type, .ts = time_from_ms(ts), .event_id = id, .user_id = user_id});
    foreign(ts);
    steps_.push_back({&events_.back(), high_});
    return *this;
  }
  // An event of another shard's user.
  Log& foreign(int64_t ts) {
    high_ = std::max(high_, time_from_ms(ts));
    return *this;
  }
  std::span<const Step> steps() const { return steps_; }
  Time high() const { return high_; }

 private:
  std::deque<std::string> texts_;
  std::deque<event::Event> events_;
  std::vector<Step> steps_;
  Time high_ = kNoTime;
};

// A shard with a store: pages are copies, without what a page does not hold.
class Machine final : public OutputSink {
 public:
  explicit Machine(size_t cache = 1000) : shard(definitions(), {.cache_profiles = cache}, kKey) {}

  void take(const Output& output) override {
    std::string text = std::string(output.user_id) + "#" + std::to_string(output.n) + " ";
    if (output.change == nullptr) {
      text += "erased";
    } else if (output.change->kind == segment::ChangeKind::kMoved) {
      text += definitions()->move(output.change->index).name;
    } else {
      text += (output.change->kind == segment::ChangeKind::kTagged ? "+" : "-") + definitions()->definition(output.change->index).name;
    }
    told.push_back(text + " @" + std::to_string(to_ms(output.at)) + (output.event_id.empty() ? "" : " " + std::string(output.event_id)));
  }
  void supply_wanted() {
    for (const UserNumber user : shard.wanted()) shard.supply(user) = pages.at(std::string(shard.user_id(user)));
  }
  // All steps and the clock up to `high`, in as many batches as it takes. Gives how many.
  size_t run(std::span<const Step> steps, Time high) {
    size_t batches = 0;
    do {
      steps = steps.subspan(shard.begin(steps, high));
      supply_wanted();
      shard.run(*this, keep);
      shard.trim();
      ++batches;
    } while (!steps.empty() || shard.high() < high);
    return batches;
  }
  size_t run(const Log& log) { return run(log.steps(), log.high()); }
  void advance(int64_t high) { run({}, time_from_ms(high)); }
  // What a checkpoint is to a store.
  void checkpoint() {
    shard.cache().freeze();
    for (const Shard::Removal& removal : shard.take_removals()) {
      pages.erase(removal.user_id);
      erased[removal.keyed_id] = shard.erased(removal.keyed_id);
    }
    shard.cache().keep_slice(SIZE_MAX, keep);
    shard.cache().installed();
    state = shard.state();
  }
  void restore(const Machine& from) {
    pages = from.pages;
    shard.restore(from.state);
    for (const auto& [id, page] : pages) shard.restore_user(id, from.shard.find_user(id), page.deadline, page.stage);
    for (const auto& [keyed, one] : from.erased) shard.restore_erased(keyed, one);
  }

  Shard shard;
  std::vector<std::string> told;
  std::map<std::string, profile::Profile> pages;
  std::map<uint64_t, Erased> erased;
  ShardState state;
  const ProfileCache::Keep keep = [this](UserNumber user, const profile::Profile& profile) {
    profile::Profile& page = pages[std::string(shard.user_id(user))] = profile;
    page.holds_until.clear();
  };
};

// Every user leaves memory: the pages are all there is.
void forget(Machine& machine) {
  machine.checkpoint();
  for (int i = 0; i < 8; ++i) {
    machine.shard.cache().new_batch();
    machine.shard.trim();
  }
}

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

Log many_purchases(size_t users, int64_t apart) {
  Log log;
  // Backwards, so that the order of the lapses is not that of the users' numbers.
  for (size_t i = users; i-- > 0;) log.add(EventType::kPurchase, id_of(i), static_cast<int64_t>(i) * apart);
  return log;
}

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

TEST(Shard, TiesAreNotCutAndFireInTheOrderOfTheUserIds) {
  constexpr size_t kUsers = Shard::kMaxTimers + 100;
  Machine machine(kUsers);
  machine.run(many_purchases(kUsers, 0));
  machine.told.clear();
  EXPECT_EQ(machine.run({}, time_from_ms(5 * kHour)), 1u);
  ASSERT_EQ(machine.told.size(), kUsers);
  EXPECT_TRUE(std::is_sorted(machine.told.begin(), machine.told.end()));
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
