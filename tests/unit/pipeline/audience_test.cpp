// SPDX-License-Identifier: Apache-2.0
// The audience index and the vectors of a shard after a recovery.
#include <gtest/gtest.h>

#include "lib/codec/state_keys.h"
#include "tests/unit/pipeline/pipeline_fixture.h"

namespace segue::pipeline {
namespace {

using event::EventType;

class AudienceRecovery : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 30; ++i) log_.add("u" + std::to_string(i % 12), i % 3 == 0 ? EventType::kPurchase : EventType::kView, kStart + i * kDay / 24);
    log_.add("u5", EventType::kDelete, kStart + 2 * kDay);
    const auto pipeline = make_pipeline({.vectors = true}, files_);
    ASSERT_TRUE(live(*pipeline, files_, log_, 0, {7, 19}));
    ASSERT_EQ(pipeline->shard().audiences().count_all(), 11u);
    expect_vectors_of_all(*pipeline);
  }
  std::map<std::string, std::string> index_entries() const {
    std::map<std::string, std::string> entries;
    for (const auto& [key, value] : files_.store.values)
      if (key.starts_with(codec::kAudiencePrefix)) entries.emplace(key, value);
    return entries;
  }
  static void expect_vectors_of_all(const ShardPipeline& pipeline) {
    ASSERT_NE(pipeline.shard().vectors(), nullptr);
    for (int i = 0; i < 12; ++i) {
      const auto user = pipeline.shard().find_user("u" + std::to_string(i));
      EXPECT_EQ(user == shard::kNoUser, i == 5);
      if (user == shard::kNoUser) continue;
      EXPECT_TRUE(pipeline.shard().vectors()->has(user)) << i;
    }
    EXPECT_FALSE(pipeline.shard().vectors()->has(5));
  }
  void change_meta(const std::function<void(codec::ShardMeta&)>& change) {
    std::string& bytes = files_.store.values.at(std::string(codec::kMetaKey));
    auto meta = codec::decode_shard_meta(bytes);
    ASSERT_TRUE(meta);
    change(*meta);
    bytes.clear();
    codec::encode(*meta, bytes);
  }

  TestLog log_;
  ShardFiles files_;
};

TEST_F(AudienceRecovery, TheIndexComesFromTheCheckpointAndTheVectorsFromThePages) {
  for (const size_t cache : {1u, 100u}) {
    const auto pipeline = make_pipeline({.cache_profiles = cache, .vectors = true}, files_);
    const auto recovered = pipeline->recover();
    ASSERT_TRUE(recovered) << recovered.error().message;
    EXPECT_EQ(pipeline->shard().audiences().count_all(), 11u);
    expect_vectors_of_all(*pipeline);
  }
  EXPECT_EQ(make_pipeline({}, files_)->recover().has_value(), true);
}

TEST_F(AudienceRecovery, AStateWithoutAnIndexGetsTheSameOneFromItsPages) {
  const auto before = index_entries();
  ASSERT_GT(before.size(), 5u);
  std::erase_if(files_.store.values, [](const auto& entry) { return entry.first.starts_with(codec::kAudiencePrefix); });
  change_meta([](codec::ShardMeta& meta) { meta.has_audiences = false; });
  log_.add("u0", EventType::kView, kStart + 3 * kDay);
  const auto pipeline = make_pipeline({.cache_profiles = 2}, files_);
  const auto lived = live(*pipeline, files_, log_, log_.size() - 1, {});
  ASSERT_TRUE(lived) << lived.error().message;
  const auto after = index_entries();
  for (const auto& [key, value] : before) EXPECT_TRUE(after.contains(key));
  EXPECT_TRUE(make_pipeline({}, files_)->recover());
}

TEST_F(AudienceRecovery, AnIndexThatDoesNotFitThePagesIsRefused) {
  const auto refused = [&] {
    const auto recovered = make_pipeline({}, files_)->recover();
    return !recovered && recovered.error().kind == ErrorClass::kData;
  };
  const auto good = files_.store.values;
  for (const auto& [key, value] : index_entries()) {
    files_.store.values[key] = value.substr(0, value.size() - 1);
    EXPECT_TRUE(refused());
    files_.store.values = good;
  }
  files_.store.values.erase(index_entries().begin()->first);  // all users
  EXPECT_TRUE(refused());
  files_.store.values = good;
  files_.store.values["ax1234"] = "x";
  EXPECT_TRUE(refused());
  files_.store.values = good;
  EXPECT_FALSE(refused());
}

}  // namespace
}  // namespace segue::pipeline
