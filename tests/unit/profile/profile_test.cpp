// SPDX-License-Identifier: Apache-2.0
#include "lib/profile/profile.h"

#include <gtest/gtest.h>

#include "lib/base/hash.h"

namespace segue::profile {
namespace {

TEST(Profile, LastSixtyFourEventIdsAreRemembered) {
  Profile p;
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(remember_event(p, "e" + std::to_string(i)));
  for (int i = 0; i < 64; ++i) ASSERT_FALSE(remember_event(p, "e" + std::to_string(i)));
  EXPECT_TRUE(remember_event(p, "e64"));  // the oldest leaves
  EXPECT_FALSE(remember_event(p, "e1"));
  EXPECT_TRUE(remember_event(p, "e0"));
  EXPECT_TRUE(remember_event(p, "e1"));
  EXPECT_FALSE(remember_event(p, "e3"));
  EXPECT_EQ(p.event_ids.size(), 64U);
}

TEST(Profile, EventIdsWithOneMarkAreTwoIds) {
  // Of 64 ids known and thousands of others some share their low 16 bits.
  Profile p;
  const auto name = [](int i) { return "e" + std::to_string(i); };
  for (int i = 0; i < 64; ++i) remember_event(p, name(i));
  ASSERT_FALSE(p.event_marks.empty());
  size_t shared = 0;
  for (int other = 64; shared < 5; ++other) {
    const uint64_t id = hash64(name(other));
    Profile copy = p;
    for (int i = 0; i < 64; ++i) {
      if (static_cast<uint16_t>(hash64(name(i))) != static_cast<uint16_t>(id)) continue;
      ++shared;
      ASSERT_TRUE(remember_event(copy, name(other)));
      ASSERT_FALSE(remember_event(copy, name(other)));
      ASSERT_TRUE(remember_event(copy, name(0)));  // whose place it took
    }
  }
}

TEST(Profile, RepeatedIdDoesNotCountAsNewer) {
  Profile p;
  for (int i = 0; i < 64; ++i) remember_event(p, "e" + std::to_string(i));
  remember_event(p, "e0");
  remember_event(p, "new");
  EXPECT_TRUE(remember_event(p, "e0"));
}

TEST(Profile, ResetIsAsNew) {
  Profile p;
  p.first_seen = p.erased_until = p.landmark = time_from_ms(1);
  p.counts[3] = p.orders = 4;
  p.last[3] = time_from_ms(1);
  p.vector[5] = 1;
  remember_event(p, "e");
  p.event_ids_next = 5;
  p.recent = {time_from_ms(1)};
  p.tiles = {{}};
  p.interests[1] = {{}};
  p.cart = {{}};
  p.traits = {{}};
  p.members.set(7);
  p.keyed_members = {{}};
  p.left_segments = {{}};
  p.past_moves = {{}};
  p.deadline = time_from_ms(1);
  p.holds_until = {kNever};
  p.reset();
  EXPECT_EQ(p.first_seen, kNoTime);
  EXPECT_EQ(p.erased_until, kNoTime);
  EXPECT_EQ(p.landmark, kNoTime);
  EXPECT_EQ(p.counts[3] + p.orders, 0U);
  EXPECT_EQ(p.last[3], kNoTime);
  EXPECT_EQ(p.vector[5], 0);
  EXPECT_TRUE(p.event_ids.empty() && p.event_ids_next == 0 && p.recent.empty() && p.tiles.empty());
  EXPECT_TRUE(p.interests[1].empty() && p.cart.empty() && p.traits.empty() && p.members.none());
  EXPECT_TRUE(p.keyed_members.empty() && p.left_segments.empty() && p.past_moves.empty() && p.holds_until.empty());
  EXPECT_EQ(p.deadline, kNever);
}

TEST(Profile, InterestsAndTraitsAreFoundByName) {
  Profile p;
  p.interests[interest_index(Scope::kBrand)].push_back({});
  p.interests[interest_index(Scope::kBrand)][0].hash = name_hash("b");
  EXPECT_NE(p.find_interest(Scope::kBrand, name_hash("b")), nullptr);
  EXPECT_EQ(p.find_interest(Scope::kItem, name_hash("b")), nullptr);
  p.traits.push_back({"age", 5.0, kNoTime});
  EXPECT_NE(p.find_trait("age"), nullptr);
  EXPECT_EQ(p.find_trait("ag"), nullptr);
}

}  // namespace
}  // namespace segue::profile
