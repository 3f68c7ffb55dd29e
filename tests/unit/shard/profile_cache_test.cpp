// SPDX-License-Identifier: Apache-2.0
#include "lib/shard/profile_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace segue::shard {
namespace {

// What a checkpoint was given: orders by user.
struct Kept {
  std::map<UserNumber, uint32_t> orders;
  int calls = 0;
  ProfileCache::Keep keep = [this](UserNumber user, const profile::Profile& profile) {
    orders[user] = profile.orders;
    ++calls;
  };
};

uint32_t add_dirty(ProfileCache& cache, UserNumber user, Kept& kept) {
  const uint32_t slot = cache.add(user);
  cache.touch(slot, kept.keep);
  return slot;
}

std::set<UserNumber> evicted(ProfileCache& cache) {
  std::set<UserNumber> users;
  for (int i = 0; i < 4; ++i) cache.evict([&](UserNumber user) { users.insert(user); });
  return users;
}

TEST(ProfileCache, ACheckpointSeesTheProfilesAsOfTheFreeze) {
  ProfileCache cache(10);
  Kept kept;
  const uint32_t slot = add_dirty(cache, 1, kept);
  cache[slot].orders = 5;
  cache.freeze();
  cache.touch(slot, kept.keep);
  cache[slot].orders = 6;
  EXPECT_TRUE(cache.keep_slice(100, kept.keep));
  EXPECT_EQ(kept.orders[1], 5u);
  EXPECT_EQ(kept.calls, 1);
}

TEST(ProfileCache, AProfileChangedDuringACheckpointBelongsToTheNext) {
  ProfileCache cache(10);
  Kept kept;
  const uint32_t slot = add_dirty(cache, 1, kept);
  cache.freeze();
  EXPECT_TRUE(cache.keep_slice(100, kept.keep));
  cache.touch(slot, kept.keep);
  cache[slot].orders = 9;
  cache.installed();
  EXPECT_EQ(cache.dirty(), 1u);
  cache.freeze();
  EXPECT_TRUE(cache.keep_slice(100, kept.keep));
  EXPECT_EQ(kept.orders[1], 9u);
}

TEST(ProfileCache, SlicesKeepEachFrozenProfileOnce) {
  ProfileCache cache(10);
  Kept kept;
  for (UserNumber user = 0; user < 5; ++user) add_dirty(cache, user, kept);
  cache.freeze();
  EXPECT_FALSE(cache.keep_slice(2, kept.keep));
  EXPECT_FALSE(cache.keep_slice(2, kept.keep));
  EXPECT_TRUE(cache.keep_slice(2, kept.keep));
  EXPECT_EQ(kept.calls, 5);
}

TEST(ProfileCache, OnlyInstalledProfilesLeave) {
  ProfileCache cache(0);
  Kept kept;
  const uint32_t dirty = add_dirty(cache, 1, kept);
  cache.new_batch();
  EXPECT_TRUE(evicted(cache).empty());
  cache.freeze();
  EXPECT_TRUE(evicted(cache).empty());
  EXPECT_TRUE(cache.keep_slice(10, kept.keep));
  EXPECT_TRUE(evicted(cache).empty());
  cache.installed();
  EXPECT_EQ(evicted(cache), std::set<UserNumber>{1});
  EXPECT_EQ(cache.size(), 0u);
  static_cast<void>(dirty);
}

TEST(ProfileCache, ProfilesOfTheRunningBatchStay) {
  ProfileCache cache(0);
  cache.add(1);
  EXPECT_TRUE(evicted(cache).empty());
  cache.new_batch();
  EXPECT_EQ(evicted(cache), std::set<UserNumber>{1});
}

TEST(ProfileCache, ARemovedSlotThatIsUsedAgainIsNotKeptForTheOneBefore) {
  ProfileCache cache(10);
  Kept kept;
  const uint32_t slot = add_dirty(cache, 1, kept);
  cache.remove(slot);
  EXPECT_EQ(cache.add(2), slot);  // as read: clean
  cache.freeze();
  EXPECT_TRUE(cache.keep_slice(10, kept.keep));
  EXPECT_EQ(kept.calls, 0);
}

TEST(ProfileCache, AReusedSlotHoldsNothingOfTheOneBefore) {
  ProfileCache cache(10);
  Kept kept;
  const uint32_t slot = add_dirty(cache, 1, kept);
  cache[slot].orders = 3;
  cache[slot].traits.push_back({"region", std::string("上海"), kNoTime});
  cache.remove(slot);
  const uint32_t again = cache.add(2);
  EXPECT_EQ(cache[again].orders, 0u);
  EXPECT_TRUE(cache[again].traits.empty());
}

}  // namespace
}  // namespace segue::shard
