// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/segment/scenario.h"

namespace segue::segment {
namespace {

using event::Event;
using event::EventType;
using event::Item;

Item in_category(std::string_view category, double price = 0) { return {.category = category, .price = Money{static_cast<int64_t>(price * 1e6)}}; }

TEST(Memberships, ASegmentIsEnteredAtTheEventAndLeftAtItsMoment) {
  Scenario user("version: 1\nsegments:\n  - {name: 高频, when: 'count(purchase, 30d before now) >= 2'}\n");
  EXPECT_EQ(user.send(EventType::kPurchase, 0), Told{});
  EXPECT_EQ(user.send(EventType::kPurchase, 10 * kDay), Told{"+高频 @864000 event"});
  EXPECT_EQ(user.changes[0].compared_count, 1);
  EXPECT_EQ(user.changes[0].compared[0], 2);
  EXPECT_EQ(user.wait_until(30 * kDay), Told{"-高频 @2592000 timer"});
  EXPECT_EQ(user.fired, 1u);
}

TEST(Memberships, AWindowThatIsFullDoesNotWakeTheUserBeforeItsTurn) {
  Scenario user("version: 1\nsegments:\n  - {name: s, when: 'count(click, 10d before now) >= 2'}\n");
  for (int day = 0; day < 6; ++day) user.send(EventType::kClick, day * kDay);
  EXPECT_EQ(user.profile.deadline, Scenario::at(14 * kDay));
}

TEST(Memberships, ALateEventEntersAtTheMomentAtWhichTheConditionTurned) {
  Scenario user("version: 1\nsegments:\n  - {name: 该回购, when: since(last_purchase) >= 20d}\n");
  user.wait_until(100 * kDay);
  EXPECT_EQ(user.send(EventType::kPurchase, 70 * kDay), Told{"+该回购 @7776000 timer"});
}

TEST(Memberships, ALateEventThatCameAndWentLeavesNoTrace) {
  Scenario user("version: 1\nsegments:\n  - {name: s, when: 'count(purchase, 5d before now) >= 1'}\n");
  user.wait_until(100 * kDay);
  EXPECT_EQ(user.send(EventType::kPurchase, 70 * kDay), Told{});
}

TEST(Memberships, ASlightlyLateEventCountsAtItsOwnTime) {
  Scenario user("version: 1\nsegments:\n  - {name: s, when: orders >= 1}\n");
  user.wait_until(100);
  EXPECT_EQ(user.send(EventType::kPurchase, 90), Told{"+s @90 event"});
}

TEST(Memberships, OnceMeansNeverAgain) {
  Scenario user("version: 1\nsegments:\n  - {name: s, when: 'count(click, 1d before now) >= 1', reentry: once}\n");
  EXPECT_EQ(user.send(EventType::kClick, 0), Told{"+s @0 event"});
  EXPECT_EQ(user.wait_until(kDay), Told{"-s @86400 timer"});
  EXPECT_EQ(user.send(EventType::kClick, 5 * kDay), Told{});
}

TEST(Memberships, AfterADurationTheSegmentIsOpenAgainToTheMillisecond) {
  Scenario user("version: 1\nsegments:\n  - {name: s, when: 'count(click, 1d before now) >= 1', reentry: after 3d}\n");
  user.send(EventType::kClick, 0);
  EXPECT_EQ(user.wait_until(kDay), Told{"-s @86400 timer"});
  // The condition is true from here on, but the segment opens at four days only.
  EXPECT_EQ(user.send(EventType::kClick, 3.5 * kDay), Told{});
  EXPECT_EQ(user.wait_until(4 * kDay - 0.001), Told{});
  EXPECT_EQ(user.wait_until(4 * kDay), Told{"+s @345600 timer"});
  EXPECT_EQ(user.wait_until(4.5 * kDay), Told{"-s @388800 timer"});
}

TEST(Memberships, ADependentSegmentTurnsWithTheOneItAsks) {
  Scenario user(R"(
version: 1
segments:
  - {name: buys, when: 'count(purchase, 10d before now) >= 1'}
  - {name: keen, when: 'in_segment("buys") and count(view) >= 1'}
)");
  user.send(EventType::kView, 0);
  EXPECT_EQ(user.send(EventType::kPurchase, kDay), (Told{"+buys @86400 event", "+keen @86400 event"}));
  EXPECT_EQ(user.wait_until(11 * kDay), (Told{"-buys @950400 timer", "-keen @950400 timer"}));
}

TEST(Memberships, AConditionOnTheStageTurnsWithTheMove) {
  Scenario user(R"(
version: 1
lifecycle:
  stages: [new, buyer, lapsed]
  moves:
    - {from: new, to: buyer, on: purchase}
    - {from: buyer, to: lapsed, when: since(last_purchase) >= 30d}
segments:
  - {name: 流失, when: stage = lapsed}
  - {name: 老客, when: 'stage in (buyer, lapsed)'}
  - {name: long lapsed, when: stage = lapsed and since(stage_since) >= 5d}
)");
  EXPECT_EQ(user.send(EventType::kPurchase, 0), (Told{"new-to-buyer @0 event", "+老客 @0 event"}));
  EXPECT_EQ(user.wait_until(40 * kDay), (Told{"buyer-to-lapsed @2592000 timer", "+流失 @2592000 timer", "+long lapsed @3024000 timer"}));
}

TEST(Memberships, AfterALateEventAConditionOnTheStageDoesNotPrecedeTheMove) {
  Scenario user(R"(
version: 1
lifecycle:
  stages: [new, buyer, lapsed]
  moves:
    - {from: new, to: buyer, on: purchase}
    - {from: buyer, to: lapsed, when: since(last_purchase) >= 30d}
segments:
  - {name: s, when: stage = lapsed}
)");
  user.wait_until(100 * kDay);
  EXPECT_EQ(user.send(EventType::kPurchase, 10 * kDay), (Told{"new-to-buyer @864000 event", "buyer-to-lapsed @3456000 timer", "+s @3456000 timer"}));
}

TEST(Memberships, TopTagsFollowTheWeights) {
  Scenario user(std::string("version: 1\ntags:\n  - {name: 'cat:*', top: 2 of category}\n"));
  EXPECT_EQ(user.send(EventType::kClick, 0, in_category("女装")), Told{"+#cat:女装 @0 event"});
  EXPECT_EQ(user.send(EventType::kClick, 1, in_category("a")), Told{"+#cat:a @1 event"});
  EXPECT_EQ(user.send(EventType::kView, 2, in_category("b")), Told{});
  EXPECT_EQ(user.send(EventType::kCart, 3, in_category("b")), (Told{"-#cat:女装 @3 event", "+#cat:b @3 event"}));
  EXPECT_EQ(user.definitions.tags(user.profile), (Told{"cat:a", "cat:b"}));
}

TEST(Memberships, OfEqualWeightsTheOneEarlierInTheTableIsOnTop) {
  Scenario user(std::string("version: 1\ntags:\n  - {name: '*', top: 1 of brand}\n"));
  std::vector<Item> lines = {{.brand = "x"}, {.brand = "y"}};
  EXPECT_EQ(user.send({.type = EventType::kPurchase, .ts = Scenario::at(0), .items = lines}), Told{"+#x @0 event"});
}

TEST(Memberships, WeightsThatHaveFadedToNothingAreOrderedByPlace) {
  Scenario user(std::string("version: 1\nsettings: {half_life: 1h}\ntags:\n  - {name: '*', top: 2 of category}\n"));
  user.send(EventType::kView, 0, in_category("a"));
  user.send(EventType::kClick, 1, in_category("b"));
  EXPECT_EQ(user.send(EventType::kCart, 2, in_category("c")), (Told{"-#a @2 event", "+#c @2 event"}));
  // Two thousand half-lives later a and b weigh exactly nothing, and the earlier place decides, whether or not the result was kept.
  EXPECT_EQ(user.send(EventType::kView, 2000 * kHour, in_category("c")), (Told{"-#b @7200000 event", "+#a @7200000 event"}));
}

TEST(Memberships, AKeyedSegmentIsEnteredForEachKey) {
  Scenario user(R"(
version: 1
segments:
  - {name: 类目潜客, for: category, when: 'purchases = 0 and count(click, 7d before now) >= 2'}
)");
  user.send(EventType::kClick, 0, in_category("女装"));
  EXPECT_EQ(user.send(EventType::kClick, 10, in_category("女装")), Told{"+类目潜客[女装] @10 event"});
  user.send(EventType::kClick, 20, in_category("男装"));
  EXPECT_EQ(user.send(EventType::kClick, 30, in_category("男装")), Told{"+类目潜客[男装] @30 event"});
  EXPECT_EQ(user.send(EventType::kPurchase, 40, in_category("女装")), Told{"-类目潜客[女装] @40 event"});
  EXPECT_EQ(user.wait_until(8 * kDay), Told{"-类目潜客[男装] @604820 timer"});
}

TEST(Memberships, AnItemIsDueAgainAfterNineTenthsOfItsCycle) {
  Scenario user(R"(
version: 1
segments:
  - {name: due, for: item, when: 'purchases >= 2 and since(last_purchase) >= 0.9 * cycle'}
)");
  for (const int day : {0, 10, 30}) user.send(EventType::kPurchase, day * kDay, {.item_id = "milk"});
  // Gaps of 10 and 20 days: the cycle is 15 days, and 0.9 of it 13.5.
  EXPECT_EQ(user.wait_until(60 * kDay), Told{"+due[milk] @3758400 timer"});
  EXPECT_EQ(user.send(EventType::kPurchase, 61 * kDay, {.item_id = "milk"}), Told{"-due[milk] @5270400 event"});
}

TEST(Memberships, AKeyThatLosesItsPlaceLeavesItsSegments) {
  Scenario user(R"(
version: 1
settings: {remember: {category: 1}}
segments:
  - {name: s, for: category, when: views >= 1}
)");
  EXPECT_EQ(user.send(EventType::kView, 0, in_category("a")), Told{"+s[a] @0 event"});
  EXPECT_EQ(user.send(EventType::kView, 1, in_category("b")), (Told{"-s[a] @1 event", "+s[b] @1 event"}));
}

TEST(Memberships, AnAffinityIsLeftAtTheMillisecondOfItsFall) {
  Scenario user("version: 1\nsegments:\n  - {name: s, when: 'affinity(category, \"女装\") >= 5'}\n");
  EXPECT_EQ(user.send(EventType::kPurchase, 0, in_category("女装")), Told{"+s @0 event"});
  // 10 falls to 5 in one half-life of seven days; the first millisecond below is the next.
  EXPECT_EQ(user.wait_until(7 * kDay), Told{});
  EXPECT_EQ(user.wait_until(8 * kDay), Told{"-s @604800.1 timer"});
}

TEST(Memberships, ALongWindowOfSumsIsLeftTileByTile) {
  Scenario user("version: 1\nsegments:\n  - {name: s, when: 'sum(purchase, 90d before now) > 1000'}\n");
  user.send(EventType::kPurchase, 0, in_category("a", 600));
  EXPECT_EQ(user.send(EventType::kPurchase, 10 * kDay, in_category("a", 600)), Told{"+s @864000 event"});
  const double width = static_cast<double>(user.definitions.plan().windows[0].tile_width.count()) / 1000;
  EXPECT_EQ(user.wait_until(200 * kDay), Told{"-s @" + std::to_string(int64_t(90 * kDay + width)) + " timer"});
  EXPECT_EQ(user.fired, 1u);
}

TEST(Memberships, ABirthdayWeekIsTheLocalOne) {
  Scenario user(R"(
version: 1
timezone: Asia/Shanghai
segments:
  - {name: 生日周, when: birthday within this week}
  - {name: 七天内生日, when: days_until(birthday) <= 6}
)");
  const event::Trait birthday{"birthday", std::string_view("1990-05-17")};
  // Monday 2024-05-06 12:00 in Shanghai; the birthday is on Friday of the week after, 2024-05-17.
  const double monday = 1714968000;
  EXPECT_EQ(user.send({.type = EventType::kIdentify, .ts = Scenario::at(monday), .traits = {&birthday, 1}}), Told{});
  // 2024-05-11 00:00 in Shanghai is 1715356800, 2024-05-13 00:00 is 1715529600, 05-18 is 1715961600, 05-20 is 1716134400.
  EXPECT_EQ(user.wait_until(1716200000),
            (Told{"+七天内生日 @1715356800 timer", "+生日周 @1715529600 timer", "-七天内生日 @1715961600 timer", "-生日周 @1716134400 timer"}));
}

TEST(Memberships, ALocalMidnightFollowsDaylightSaving) {
  Scenario user("version: 1\ntimezone: Europe/Berlin\nsegments:\n  - {name: today, when: days_until(birthday) = 0}\n");
  const event::Trait birthday{"birthday", std::string_view("03-31")};
  user.send({.type = EventType::kIdentify, .ts = Scenario::at(1711756800), .traits = {&birthday, 1}});  // 2024-03-30 00:00Z
  // On 2024-03-31 clocks go forward: the day begins at 23:00Z and ends at 22:00Z, after 23 hours.
  EXPECT_EQ(user.wait_until(1712000000), (Told{"+today @1711839600 timer", "-today @1711922400 timer"}));
}

TEST(Memberships, ActivationTellsWhatTheNewDefinitionsChange) {
  Scenario user("version: 1\nsegments:\n  - {name: s, when: orders >= 1}\n");
  user.profile.orders = 3;
  user.definitions.on_activation(user.profile, Scenario::at(77), user.changes);
  ASSERT_EQ(user.changes.size(), 1u);
  EXPECT_EQ(user.changes[0].cause, profile::Cause::kDefinitions);
  EXPECT_EQ(user.changes[0].at, Scenario::at(77));
}

}  // namespace
}  // namespace segue::segment
