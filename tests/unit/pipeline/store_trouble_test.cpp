// SPDX-License-Identifier: Apache-2.0
// A store that fails or is slow, and a shard that lives through it.
#include "tests/unit/pipeline/pipeline_fixture.h"

namespace segue::pipeline {
namespace {

using event::EventType;

class StoreTrouble : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 40; ++i) log_.add("u" + std::to_string(i), EventType::kPurchase, kStart + i * kDay);
  }
  std::unique_ptr<ShardPipeline> begin(ShardPipeline::Options options) {
    auto pipeline = make_pipeline(options, files_);
    EXPECT_TRUE(pipeline->recover());
    EXPECT_TRUE(pipeline->own(files_.commits));
    return pipeline;
  }

  TestLog log_;
  ShardFiles files_;
};

TEST_F(StoreTrouble, ACheckpointThatCannotBeWrittenOrInstalledIsMadeOnceItCan) {
  const auto pipeline = begin({});
  ASSERT_TRUE(pipeline->take_all(log_.chunk(0, 20)));
  ASSERT_TRUE(pipeline->flush());
  pipeline->request_checkpoint();
  for (bool* fails : {&files_.store.fail_write, &files_.store.fail_install}) {
    *fails = true;
    EXPECT_FALSE(pipeline->poll());
    EXPECT_FALSE(pipeline->poll());
    // What happens meanwhile is not of this checkpoint.
    static_cast<void>(pipeline->take(log_.chunk(20, 40)));
    *fails = false;
  }
  EXPECT_EQ(files_.store.installed, 0U);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pipeline->poll());
  EXPECT_EQ(files_.store.installed, 1U);
  ASSERT_TRUE(pipeline->take_all(log_.chunk(20, 40)));
  ASSERT_TRUE(pipeline->finish());
  const auto again = make_pipeline({}, files_);
  ASSERT_TRUE(again->recover());
  EXPECT_EQ(again->position(), TestLog::at(40));
  EXPECT_EQ(again->shard().users(), 40U);
}

// At the dirty limit, with the checkpoint before still being written, there is nothing to commit.
TEST_F(StoreTrouble, WaitingForASlowStoreCommitsNothing) {
  files_.store.delay = 1000;
  const auto pipeline = begin({.batch_events = 5, .dirty_profiles = 10});
  const auto taken = pipeline->take(log_.chunk(0, 40));
  ASSERT_TRUE(taken);
  ASSERT_FALSE(*taken);
  ASSERT_FALSE(pipeline->has_uncommitted());
  const size_t commits = files_.commits.records.size();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(pipeline->poll());
  EXPECT_EQ(files_.commits.records.size(), commits);
}

// The pages that a replayed sweep makes dirty wait for a slow store as those of a sweep of one's own do.
TEST_F(StoreTrouble, AReplayedSweepKeepsToTheDirtyLimit) {
  ASSERT_TRUE(live(*make_pipeline({}, files_), files_, log_, 0, {}));
  const auto saved = files_.store.values;
  auto parsed = segment::Definitions::parse(R"(
version: 1
timezone: UTC
settings: {lateness: 1h}
lifecycle:
  stages: [new, buyer]
  moves:
    - {from: new, to: buyer, on: purchase}
)",
                                            "test.yaml");
  ASSERT_TRUE(parsed);
  {
    auto pipeline = begin({.batch_events = 2, .dirty_profiles = 6});
    pipeline->want(std::make_shared<const segment::Definitions>(std::move(*parsed)));
    ASSERT_TRUE(pipeline->take_all(log_.chunk(40, 40)));
    ASSERT_TRUE(pipeline->finish());
  }
  files_.store.values = saved;
  files_.store.delay = 10;
  const auto pipeline = begin({.batch_events = 2, .dirty_profiles = 6});
  ASSERT_TRUE(pipeline->replaying());
  for (int i = 0; i < 1000 && pipeline->replaying(); ++i) {
    ASSERT_TRUE(pipeline->take(log_.chunk(40, 40)));
    EXPECT_LE(pipeline->shard().cache().dirty(), 8U);
    ASSERT_TRUE(pipeline->poll());
  }
  EXPECT_FALSE(pipeline->replaying());
}

}  // namespace
}  // namespace segue::pipeline
