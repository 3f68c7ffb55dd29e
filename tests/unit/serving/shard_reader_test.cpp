// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/shard_reader.h"

#include <gtest/gtest.h>

#include "lib/codec/state_keys.h"
#include "tests/unit/serving/shard_fixture.h"

namespace segue::serving {
namespace {

class Reader : public ShardFixture {
 protected:
  // Most profiles are in the store only.
  void make_small() {
    pipeline::ShardPipeline::Options options;
    options.cache_profiles = 1;
    make(options);
    ASSERT_TRUE(pipeline().finish());
    // The next batch lets what is clean go.
    log().add(user(0), event::EventType::kView, pipeline::kStart + pipeline::kDay);
    take();
    ASSERT_EQ(pipeline().shard().user(pipeline().shard().find_user(user(7))).slot, shard::kNoSlot);
  }
  ShardReader& reader() { return reader_ ? *reader_ : reader_.emplace(3, pipeline(), store()); }

 private:
  std::optional<ShardReader> reader_;
};

TEST_F(Reader, FindsAProfileInMemory) {
  const auto found = reader().find(user(7));
  ASSERT_TRUE(found && *found != nullptr);
  EXPECT_EQ((*found)->orders, 1u);
  EXPECT_EQ(reader().partition(), 3);
}

TEST_F(Reader, FindsAProfileInTheStore) {
  make_small();
  const auto found = reader().find(user(7));
  ASSERT_TRUE(found && *found != nullptr);
  EXPECT_EQ((*found)->orders, 1u);
  EXPECT_EQ(pipeline().shard().user(pipeline().shard().find_user(user(7))).slot, shard::kNoSlot) << "a read leaves the cache as it is";
}

TEST_F(Reader, KnowsHowManyUsersAreInAStage) {
  const auto& stages = reader().definitions().stages();
  uint64_t users = 0;
  for (size_t i = 0; i < stages.size(); ++i) {
    const uint64_t count = reader().audiences().count_stage(i);
    EXPECT_EQ(count, reader().definitions().stage_name(i) == "buyer" ? kUsers : 0);
    users += count;
  }
  EXPECT_EQ(users, kUsers);
}

TEST_F(Reader, GivesNothingForAnUnknownUser) {
  const auto found = reader().find("nobody");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, nullptr);
  const auto by_number = reader().find(shard::UserNumber{1'000'000});
  ASSERT_TRUE(by_number);
  EXPECT_EQ(*by_number, nullptr);
}

TEST_F(Reader, GivesNothingForAnErasedUser) {
  const shard::UserNumber number = pipeline().shard().find_user(user(7));
  log().add(user(7), event::EventType::kDelete, pipeline::kStart + pipeline::kDay);
  take();
  for (const auto& found : {reader().find(user(7)), reader().find(number)}) {
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, nullptr);
  }
}

TEST_F(Reader, FindsManyWhereverTheyAre) {
  make_small();
  std::vector<std::string> ids = {"nobody"};
  for (size_t i = 0; i < kUsers; ++i) ids.push_back(user(i));
  const std::vector<std::string_view> views(ids.begin(), ids.end());
  std::vector<int> seen(ids.size());
  ASSERT_TRUE(reader().find_many(views, [&](size_t i, shard::UserNumber number, const profile::Profile* profile) {
    ++seen[i];
    if (i == 0) {
      EXPECT_EQ(profile, nullptr);
      EXPECT_EQ(number, shard::kNoUser);
      return;
    }
    ASSERT_NE(profile, nullptr);
    EXPECT_EQ(profile->orders, 1u);
    EXPECT_EQ(pipeline().shard().user_id(number), ids[i]);
  }));
  EXPECT_EQ(seen, std::vector<int>(ids.size(), 1));
}

TEST_F(Reader, TellsOfADamagedPage) {
  make_small();
  std::string key;
  codec::make_page_key(user(7), key);
  store().values.at(key).resize(20);
  const auto found = reader().find(user(7));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorClass::kData);
  store().values.erase(key);
  EXPECT_FALSE(reader().find(user(7)));
}

}  // namespace
}  // namespace segue::serving
