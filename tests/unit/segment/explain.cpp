// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "lib/segment/step.h"
#include "tests/unit/segment/scenario.h"

namespace segue::segment {
namespace {

using event::EventType;

TEST(Explain, SaysWhenThePresentStageEndsAndWhy) {
  Scenario user(default_definitions());
  user.send(EventType::kPurchase, 1000, {.category = "c-1", .price = Money{10'000'000}});
  const auto explanations = user.definitions.explain(user.profile, user.clock());
  ASSERT_EQ(explanations.size(), 5u);  // two moves out of buyer, the top tag, two plain tags
  EXPECT_TRUE(explanations[0].is_move);
  EXPECT_EQ(user.definitions.move(explanations[0].index).name, "buyer-to-returning");
  EXPECT_EQ(explanations[0].leaves[0].text, "orders >= 2");
  EXPECT_EQ(explanations[0].leaves[0].compared, 1);
  EXPECT_FALSE(explanations[0].leaves[0].value);
  EXPECT_EQ(user.definitions.move(explanations[1].index).name, "buyer-to-lapsed");
  EXPECT_EQ(explanations[1].changes_at, Scenario::at(1000 + 30 * kDay));
  EXPECT_EQ(explanations[1].leaves[0].text, "since(last_purchase) >= 30d");
  EXPECT_EQ(explanations[2].key, "cat:c-1");
  EXPECT_FALSE(explanations[3].member);
  EXPECT_EQ(explanations[3].leaves[0].compared, 10);
}

TEST(Explain, WindowsBeforeTheEventEndNow) {
  Scenario user(default_definitions());
  user.send(EventType::kClick, 1000);
  user.send(EventType::kClick, 2000);
  const auto explanations = user.definitions.explain(user.profile, Scenario::at(3000));
  ASSERT_EQ(explanations[0].leaves.size(), 3u);
  EXPECT_EQ(explanations[0].leaves[1].text, "count(click, 7d before event) >= 3");
  EXPECT_EQ(explanations[0].leaves[1].compared, 2);
}

TEST(Explain, KeyedSegmentsAreExplainedForEveryRememberedKey) {
  Scenario user("version: 1\nsegments:\n  - {name: s, for: category, when: 'views >= 1 and since(last_seen) < 2d'}\n");
  user.send(EventType::kView, 0, {.category = "a"});
  user.send(EventType::kClick, 10, {.category = "b"});
  const auto explanations = user.definitions.explain(user.profile, Scenario::at(10));
  ASSERT_EQ(explanations.size(), 2u);
  EXPECT_EQ(explanations[0].key, "a");
  EXPECT_TRUE(explanations[0].member);
  EXPECT_EQ(explanations[0].changes_at, Scenario::at(2 * kDay));
  EXPECT_FALSE(explanations[1].member);
  EXPECT_EQ(explanations[1].changes_at, kNever);
}

TEST(Explain, ReentryIsTakenIntoAccount) {
  Scenario user("version: 1\nsegments:\n  - {name: s, when: 'count(click, 1d before now) >= 1', reentry: after 3d}\n");
  user.send(EventType::kClick, 0);
  user.wait_until(kDay);
  user.send(EventType::kClick, 3.5 * kDay);
  const auto explanations = user.definitions.explain(user.profile, user.clock());
  EXPECT_TRUE(explanations[0].value);
  EXPECT_FALSE(explanations[0].member);
  EXPECT_EQ(explanations[0].changes_at, Scenario::at(4 * kDay));
}

TEST(Explain, LooksPastMomentsAtWhichNothingTurns) {
  Scenario user("version: 1\nsegments:\n  - {name: s, when: 'days_until(birthday) = 0'}\n");
  const event::Trait birthday{"birthday", std::string_view("01-11")};
  user.send({.type = EventType::kIdentify, .ts = Scenario::at(0), .traits = {&birthday, 1}});
  EXPECT_EQ(user.definitions.explain(user.profile, user.clock())[0].changes_at, Scenario::at(10 * kDay));
}

}  // namespace
}  // namespace segue::segment
