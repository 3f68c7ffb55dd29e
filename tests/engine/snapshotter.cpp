// SPDX-License-Identifier: Apache-2.0
#include "services/engine/snapshotter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "lib/codec/state_keys.h"
#include "lib/telemetry/log.h"
#include "tests/engine/scratch.h"

namespace segue::engine {
namespace {

class SnapshotterTest : public testing::Test {
 protected:
  SnapshotterTest() {
    telemetry::log::set_level(telemetry::log::Level::kError);
    context_.config.application = "shop";
    context_.config.snapshots.directory = scratch_ / "snapshots";
    context_.config.snapshots.interval = Duration(0);  // one after the other
    std::filesystem::create_directory(context_.config.snapshots.directory);
    rocks::RocksOptions options;
    options.path = scratch_ / "state";
    store_ = std::move(*rocks::RocksStore::open(options));
    checkpoint(17);
  }

  void checkpoint(uint64_t offset) {
    codec::ShardMeta meta;
    meta.position = {offset, offset};
    meta.sequence = offset;
    std::string bytes;
    codec::encode(meta, bytes);
    store_->put(codec::kMetaKey, bytes);
    store_->seal();
    ASSERT_TRUE(store_->install());
  }
  std::optional<rocks::Snapshot> newest(const std::set<std::string>& damaged = {}) {
    return *find_newest(*open_snapshots(context_.config, 4), damaged);
  }
  void wait_for(uint64_t snapshots) const {
    while (context_.counters.snapshots_made < snapshots) std::this_thread::yield();
  }

  Scratch scratch_;
  Context context_;
  std::unique_ptr<rocks::RocksStore> store_;
  const std::shared_ptr<PartitionView> view_ = std::make_shared<PartitionView>(4);
};

TEST_F(SnapshotterTest, AnEnrolledShardIsCopiedAgainAndAgain) {
  Snapshotter snapshotter(context_);
  snapshotter.enroll(4, *store_, view_);
  wait_for(1);
  ASSERT_TRUE(newest());
  EXPECT_EQ(newest()->record.info.position.offset, 17u);
  EXPECT_EQ(newest()->record.info.sequence, 17u);
  checkpoint(23);
  wait_for(context_.counters.snapshots_made + 2);
  EXPECT_EQ(newest()->record.info.position.offset, 23u);
  EXPECT_NE(view_->status().snapshot_at, kNoTime);
}

TEST_F(SnapshotterTest, NothingTouchesAStoreThatWasWithdrawn) {
  Snapshotter snapshotter(context_);
  snapshotter.enroll(4, *store_, view_);
  wait_for(1);
  snapshotter.withdraw(4);
  const uint64_t made = context_.counters.snapshots_made;
  store_.reset();
  snapshotter.withdraw(4);
  EXPECT_EQ(context_.counters.snapshots_made, made);
  EXPECT_EQ(context_.counters.snapshots_failed, 0u);
}

// The address sanitizer sees it where the thread still looks at what was withdrawn.
TEST_F(SnapshotterTest, AShardMayGoWhileTheThreadWaitsForItsTime) {
  context_.config.snapshots.interval = std::chrono::hours(1);
  Snapshotter snapshotter(context_);
  for (int32_t partition = 0; partition < 50; ++partition) {
    snapshotter.enroll(partition, *store_, view_);
    std::this_thread::yield();
    snapshotter.withdraw(partition);
  }
  EXPECT_EQ(context_.counters.snapshots_made, 0u);
}

TEST_F(SnapshotterTest, AVolumeThatIsAwayIsCountedAndHurtsNobody) {
  context_.config.snapshots.interval = Duration(20);
  std::filesystem::remove(context_.config.snapshots.directory);
  Snapshotter snapshotter(context_);
  snapshotter.enroll(4, *store_, view_);
  while (context_.counters.snapshots_failed == 0) std::this_thread::yield();
  snapshotter.withdraw(4);
  EXPECT_EQ(context_.counters.snapshots_made, 0u);
}

TEST_F(SnapshotterTest, ADamagedSnapshotIsPassedOver) {
  {
    Snapshotter snapshotter(context_);
    snapshotter.enroll(4, *store_, view_);
    wait_for(1);
    checkpoint(23);
    wait_for(context_.counters.snapshots_made + 2);
  }
  const auto last = newest();
  ASSERT_TRUE(last);
  const auto before = newest({last->id});
  ASSERT_TRUE(before);
  EXPECT_LT(before->record.info.sequence, last->record.info.sequence);
}

}  // namespace
}  // namespace segue::engine
