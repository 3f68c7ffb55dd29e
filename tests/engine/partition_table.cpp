// SPDX-License-Identifier: Apache-2.0
#include "services/engine/partition_table.h"

#include <gtest/gtest.h>

#include <thread>

namespace segue::engine {
namespace {

// What the group gives a worker.
bool acquire(PartitionTable& table, int32_t partition, int worker) {
  table.want(partition, worker);
  return table.acquire(partition, worker);
}

TEST(PartitionTable, OneHoldsAPartitionAtATime) {
  PartitionTable table;
  EXPECT_TRUE(acquire(table, 3, 0));
  EXPECT_EQ(table.holder(3), 0);
  EXPECT_FALSE(table.try_acquire(3, PartitionTable::kStandby));
  table.release(3);
  EXPECT_TRUE(table.try_acquire(3, PartitionTable::kStandby));
}

TEST(PartitionTable, WhoWaitsGetsItWhenItIsReleased) {
  PartitionTable table;
  ASSERT_TRUE(acquire(table, 3, 0));
  std::thread other([&] { EXPECT_TRUE(acquire(table, 3, 1)); });
  table.release(3);
  other.join();
  EXPECT_EQ(table.holder(3), 1);
}

TEST(PartitionTable, TheStandbyLearnsThatAWorkerWaits) {
  PartitionTable table;
  ASSERT_TRUE(table.try_acquire(3, PartitionTable::kStandby));
  ASSERT_TRUE(table.try_acquire(4, PartitionTable::kStandby));
  EXPECT_TRUE(table.wanted_of_standby().empty());
  std::thread worker([&] { EXPECT_TRUE(acquire(table, 3, 0)); });
  while (table.wanted_of_standby().empty()) std::this_thread::yield();
  EXPECT_EQ(table.wanted_of_standby(), std::set<int32_t>{3});
  table.release(3);
  worker.join();
  EXPECT_EQ(table.holder(3), 0);
}

TEST(PartitionTable, TheEndLeavesNobodyWaiting) {
  PartitionTable table;
  ASSERT_TRUE(acquire(table, 3, 0));
  std::thread other([&] { EXPECT_FALSE(acquire(table, 3, 1)); });
  table.end();
  other.join();
  EXPECT_FALSE(table.try_acquire(5, 0));
}

TEST(PartitionTable, WhoLosesItWhileWaitingGivesUp) {
  PartitionTable table;
  ASSERT_TRUE(acquire(table, 3, 0));
  table.want(3, 1);
  std::thread other([&] { EXPECT_FALSE(table.acquire(3, 1)); });
  table.unwant(3, 1);
  other.join();
  EXPECT_EQ(table.holder(3), 0);
  table.release(3);
  EXPECT_EQ(table.holder(3), PartitionTable::kNobody);
}

TEST(PartitionTable, WhoNeverWantedItDoesNotGetIt) {
  PartitionTable table;
  EXPECT_FALSE(table.acquire(3, 0));
  EXPECT_TRUE(table.try_acquire(3, PartitionTable::kStandby));
}

TEST(PartitionTable, AViewOutlivesItsHolders) {
  PartitionTable table;
  const auto view = table.view(3);
  ASSERT_TRUE(acquire(table, 3, 0));
  EXPECT_EQ(table.view(3), view);
  ASSERT_EQ(table.held().size(), 1u);
  table.release(3);
  EXPECT_TRUE(table.held().empty());
  EXPECT_EQ(table.views().size(), 1u);
}

}  // namespace
}  // namespace segue::engine
