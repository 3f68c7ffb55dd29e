// SPDX-License-Identifier: Apache-2.0
#include "services/engine/partition_table.h"

#include <gtest/gtest.h>

#include <thread>

namespace segue::engine {
namespace {

TEST(PartitionTable, OneHoldsAPartitionAtATime) {
  PartitionTable table;
  EXPECT_TRUE(table.acquire(3, 0));
  EXPECT_EQ(table.holder(3), 0);
  EXPECT_FALSE(table.try_acquire(3, PartitionTable::kStandby));
  table.release(3);
  EXPECT_TRUE(table.try_acquire(3, PartitionTable::kStandby));
}

TEST(PartitionTable, WhoWaitsGetsItWhenItIsReleased) {
  PartitionTable table;
  ASSERT_TRUE(table.acquire(3, 0));
  std::thread other([&] { EXPECT_TRUE(table.acquire(3, 1)); });
  table.release(3);
  other.join();
  EXPECT_EQ(table.holder(3), 1);
}

TEST(PartitionTable, TheStandbyLearnsThatAWorkerWaits) {
  PartitionTable table;
  ASSERT_TRUE(table.try_acquire(3, PartitionTable::kStandby));
  ASSERT_TRUE(table.try_acquire(4, PartitionTable::kStandby));
  EXPECT_TRUE(table.wanted_of_standby().empty());
  std::thread worker([&] { EXPECT_TRUE(table.acquire(3, 0)); });
  while (table.wanted_of_standby().empty()) std::this_thread::yield();
  EXPECT_EQ(table.wanted_of_standby(), std::set<int32_t>{3});
  table.release(3);
  worker.join();
  EXPECT_EQ(table.holder(3), 0);
}

TEST(PartitionTable, TheEndLeavesNobodyWaiting) {
  PartitionTable table;
  ASSERT_TRUE(table.acquire(3, 0));
  std::thread other([&] { EXPECT_FALSE(table.acquire(3, 1)); });
  table.end();
  other.join();
  EXPECT_FALSE(table.try_acquire(5, 0));
}

TEST(PartitionTable, AViewOutlivesItsHolders) {
  PartitionTable table;
  const auto view = table.view(3);
  ASSERT_TRUE(table.acquire(3, 0));
  EXPECT_EQ(table.view(3), view);
  ASSERT_EQ(table.held().size(), 1u);
  table.release(3);
  EXPECT_TRUE(table.held().empty());
  EXPECT_EQ(table.views().size(), 1u);
}

}  // namespace
}  // namespace segue::engine
