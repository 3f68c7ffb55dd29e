// SPDX-License-Identifier: Apache-2.0
#include "lib/audience/index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/audience/index_fixture.h"

namespace segue::audience {
namespace {

std::vector<UserNumber> users_of(const Bitmap& bitmap, uint32_t chunk = 0) {
  std::vector<UserNumber> users;
  bitmap.list(0, kChunkUsers, chunk << 16, users);
  return users;
}

TEST(AudienceIndex, FollowsChanges) {
  Index index(shop());
  for (const UserNumber user : {1u, 2u, 70'000u}) index.add_user(user, 0);
  index.apply(2, moved(0, 1));
  index.apply(2, entered(kVip));
  index.apply(1, entered(kDue, "i-1"));
  index.apply(70'000, entered(kDue, "i-1"));
  index.apply(1, entered(kDue, "i-2"));
  index.apply(1, {.kind = segment::ChangeKind::kTagged, .index = kCategory, .key = "cat:女装"});
  EXPECT_EQ(index.count_all(), 3u);
  EXPECT_EQ(index.chunks(), 2u);
  EXPECT_EQ(index.count_stage(0), 2u);
  EXPECT_THAT(users_of(index.stage(1, 0)), testing::ElementsAre(2));
  EXPECT_THAT(users_of(index.members(kVip, 0)), testing::ElementsAre(2));
  EXPECT_THAT(users_of(index.members(kDue, "i-1", 1), 1), testing::ElementsAre(70'000));
  EXPECT_THAT(users_of(index.members_of_any(kDue, 0)), testing::ElementsAre(1));
  EXPECT_THAT(users_of(index.members(kCategory, "cat:女装", 0)), testing::ElementsAre(1));
  EXPECT_TRUE(index.members(kCategory, "女装", 0).empty());
  index.apply(1, left(kDue, "i-1"));
  index.apply(2, left(kVip));
  EXPECT_TRUE(index.members(kDue, "i-1", 0).empty());
  EXPECT_EQ(index.count_members(kVip), 0u);
}

TEST(AudienceIndex, TakesAProfileAsItStandsAndGivesItBack) {
  Index index(shop());
  profile::Profile profile;
  profile.stage = 2;
  profile.members.set(kOld);
  profile.keyed_members = {{kDue, 1, "i-1"}, {kCategory, 2, "女装"}, {kBrand, 3, "b"}};
  index.add_user(5, profile);
  EXPECT_THAT(users_of(index.members(kOld, 0)), testing::ElementsAre(5));
  EXPECT_THAT(users_of(index.members(kDue, "i-1", 0)), testing::ElementsAre(5));
  EXPECT_THAT(users_of(index.members(kCategory, "cat:女装", 0)), testing::ElementsAre(5));
  EXPECT_THAT(users_of(index.members(kBrand, "brand:b!", 0)), testing::ElementsAre(5));
  index.remove_user(5, profile);
  EXPECT_EQ(index.first_difference(Index(shop())), std::nullopt);
}

TEST(AudienceIndex, NamesKeysInOrder) {
  Index index(shop());
  for (const UserNumber user : {1u, 2u}) index.add_user(user, 0);
  for (const char* key : {"c", "a", "b"}) index.apply(1, entered(kDue, key));
  index.apply(2, entered(kDue, "b"));
  index.apply(1, left(kDue, "c"));
  const auto keys = index.keys(kDue, "", 10);
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[1].key, "b");
  EXPECT_EQ(keys[1].users, 2u);
  EXPECT_EQ(index.keys(kDue, "a", 10).size(), 1u);
  EXPECT_EQ(index.keys(kDue, "", 1)[0].key, "a");
}

TEST(AudienceIndex, WritesOnlyWhatChanged) {
  Index index(shop());
  Entries state;
  for (UserNumber user = 0; user < 100'000; user += 10) index.add_user(user, 0);
  state.checkpoint(index);
  EXPECT_EQ(state.values.size(), 4u);  // all and the first stage, two chunks each
  state.handed_out = 0;
  index.apply(70'000, moved(0, 1));
  state.checkpoint(index);
  EXPECT_EQ(state.handed_out, 2u);  // one chunk of both stages
  state.handed_out = 0;
  state.checkpoint(index);
  EXPECT_EQ(state.handed_out, 0u);
}

TEST(AudienceIndex, KeysWithoutUsersLeaveStateAndMemory) {
  Index index(shop());
  Entries state;
  index.add_user(1, 0);
  index.apply(1, entered(kDue, "i-1"));
  state.checkpoint(index);
  EXPECT_EQ(state.values.size(), 3u);
  index.apply(1, left(kDue, "i-1"));
  EXPECT_EQ(index.key_count(kDue), 1u);
  state.checkpoint(index);
  EXPECT_EQ(state.values.size(), 2u);
  EXPECT_EQ(index.key_count(kDue), 0u);
  // One that no checkpoint saw is never spoken of.
  state.handed_out = 0;
  index.apply(1, entered(kDue, "i-2"));
  index.apply(1, left(kDue, "i-2"));
  state.checkpoint(index);
  EXPECT_EQ(state.handed_out, 0u);
  EXPECT_EQ(index.key_count(kDue), 0u);
}

TEST(AudienceIndex, AFrozenChunkIsWrittenAsItWas) {
  Index index(shop());
  Entries state;
  index.add_user(1, 0);
  index.freeze();
  index.add_user(2, 0);
  index.apply(1, moved(0, 1));
  EXPECT_TRUE(state.keep(index, SIZE_MAX));
  Index want(shop());
  want.add_user(1, 0);
  EXPECT_EQ(state.restore(shop()).first_difference(want), std::nullopt);
  state.checkpoint(index);
  EXPECT_EQ(state.restore(shop()).first_difference(index), std::nullopt);
}

const segment::Definitions& other_shop() {
  static const segment::Definitions definitions = parse_definitions(
      "version: 1\nlifecycle: {stages: [first, buyer, new]}\nsegments: [{name: due, for: item, when: count(purchase) >= 2}]\n"
      "tags: [{name: fresh, when: orders = 0}, {name: regular, when: orders >= 2}]\n");
  return definitions;
}

// An index beside the profiles that it follows, under random changes; the model of an index is one made of the profiles at once.
class RandomShop {
 public:
  explicit RandomShop(uint32_t seed) : random_(seed) {}

  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  Index made_at_once() const {
    Index made(*definitions);
    for (const auto& [user, profile] : users) made.add_user(user, profile);
    return made;
  }
  void change_somebody() {
    const UserNumber user = below(3) * kChunkUsers + below(12);
    const auto [at, is_new] = users.try_emplace(user);
    profile::Profile& profile = at->second;
    if (is_new) index.add_user(user, profile.stage);
    switch (below(8)) {
      case 0:
        index.remove_user(user, profile);
        users.erase(user);
        break;
      case 1: {
        const auto to = static_cast<uint8_t>(below(3));
        index.apply(user, moved(profile.stage, to));
        profile.stage = to;
        break;
      }
      default:
        change_membership(user, profile);
    }
  }
  // As pages are read under new definitions.
  void change_definitions() {
    const segment::Definitions& next = definitions == &shop() ? other_shop() : shop();
    const auto place = [](const std::vector<uint64_t>& ids, uint64_t id) {
      return static_cast<size_t>(std::find(ids.begin(), ids.end(), id) - ids.begin());
    };
    const profile::Plan &before = definitions->plan(), &after = next.plan();
    for (auto& [user, profile] : users) {
      const size_t stage = place(after.stage_ids, before.stage_ids[profile.stage]);
      profile.stage = static_cast<uint8_t>(stage < after.stage_ids.size() ? stage : 0);
      const auto members = std::exchange(profile.members, {});
      for (size_t i = 0; i < before.definition_ids.size(); ++i)
        if (const size_t at = place(after.definition_ids, before.definition_ids[i]); members[i] && at < after.definition_ids.size())
          profile.members.set(at);
      for (const auto& member : std::exchange(profile.keyed_members, {}))
        if (const size_t at = place(after.definition_ids, before.definition_ids[member.definition]); at < after.definition_ids.size())
          profile.keyed_members.push_back({static_cast<uint16_t>(at), 0, member.key});
    }
    definitions = &next;
    index.activate(next);
  }

  const segment::Definitions* definitions = &shop();
  Index index{shop()};
  std::map<UserNumber, profile::Profile> users;

 private:
  void change_membership(UserNumber user, profile::Profile& profile) {
    const auto number = static_cast<uint16_t>(below(static_cast<uint32_t>(definitions->definitions().size())));
    const segment::Definition& definition = definitions->definition(number);
    if (definition.kind == segment::DefinitionKind::kSegment || definition.kind == segment::DefinitionKind::kTag) {
      profile.members.flip(number);
      return index.apply(user, profile.members[number] ? entered(number) : left(number));
    }
    const std::string key(1, static_cast<char>('a' + below(4)));
    const std::string told = definition.prefix + key + definition.suffix;
    auto& held = profile.keyed_members;
    const auto at = std::find_if(held.begin(), held.end(), [&](const auto& member) { return member.definition == number && member.key == key; });
    index.apply(user, at == held.end() ? entered(number, told) : left(number, told));
    at == held.end() ? held.push_back({number, 0, key}) : static_cast<void>(held.erase(at));
  }

  std::mt19937 random_;
};

// A state is as of its freeze whatever happens while it is handed out, and a restored index goes on as the one before.
TEST(AudienceIndex, AnyCheckpointIsTheMomentOfItsFreeze) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    RandomShop shop(seed);
    Entries state;
    std::optional<Index> want;  // as of the freeze
    const auto end_checkpoint = [&] {
      if (!want) return;
      ASSERT_TRUE(state.keep(shop.index, SIZE_MAX));
      ASSERT_EQ(state.restore(*shop.definitions).first_difference(*want), std::nullopt) << "seed " << seed;
      want.reset();
    };
    for (int step = 0; step < 1500; ++step) {
      shop.change_somebody();
      if (want && shop.below(20) == 0 && state.keep(shop.index, shop.below(5))) end_checkpoint();
      if (!want && shop.below(60) == 0) {
        want = shop.made_at_once();
        shop.index.freeze();
      }
      if (shop.below(200) == 0) {  // a crash right behind a checkpoint
        end_checkpoint();
        state.checkpoint(shop.index);
        shop.index = state.restore(*shop.definitions);
      }
      if (shop.below(200) == 0) {
        end_checkpoint();
        shop.change_definitions();
      }
      ASSERT_EQ(shop.index.count_all(), shop.users.size());
    }
    end_checkpoint();
    Index again = shop.made_at_once();
    ASSERT_EQ(shop.index.first_difference(again), std::nullopt) << "seed " << seed;
    // The state has what an index made at once would write, and nothing else.
    Entries fresh;
    state.checkpoint(shop.index);
    fresh.checkpoint(again);
    ASSERT_EQ(fresh.values, state.values) << "seed " << seed;
  }
}

TEST(AudienceIndex, DifferencesAreNamed) {
  Index a(shop()), b(shop());
  for (Index* index : {&a, &b})
    for (const UserNumber user : {1u, 2u, 70'000u}) index->add_user(user, 0);
  EXPECT_EQ(a.first_difference(b), std::nullopt);
  a.apply(70'000, entered(kDue, "i-1"));
  auto difference = a.first_difference(b);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->set.kind, SetKind::kKeyed);
  EXPECT_EQ(difference->set.key, "i-1");
  EXPECT_EQ(difference->user, 70'000u);
  EXPECT_TRUE(difference->here);
  difference = b.first_difference(a);
  ASSERT_TRUE(difference);
  EXPECT_FALSE(difference->here);
}

TEST(AudienceIndex, DamagedEntriesAreRefused) {
  Index index(shop());
  index.add_user(1, 0);
  Entries state;
  state.checkpoint(index);
  Index into(shop());
  const std::string bytes = state.values.begin()->second;
  EXPECT_FALSE(into.restore({SetKind::kStage, 12345, ""}, 0, bytes));
  EXPECT_FALSE(into.restore({SetKind::kAll, 0, ""}, 0, bytes.substr(1)));
  EXPECT_TRUE(into.restore({SetKind::kAll, 0, ""}, 3, bytes));
  EXPECT_FALSE(into.restore({SetKind::kAll, 0, ""}, 3, bytes));
}

}  // namespace
}  // namespace segue::audience
