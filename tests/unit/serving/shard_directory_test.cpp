// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/shard_directory.h"

#include <gtest/gtest.h>

#include "lib/base/hash.h"

namespace segue::serving {
namespace {

TEST(ShardDirectory, KnowsWhichPartitionHasAUser) {
  const ShardDirectory directory(log_partition, 4);
  EXPECT_EQ(directory.partitions(), 4u);
  for (const char* user : {"a", "b", "u-17"}) EXPECT_EQ(directory.partition_of(user), static_cast<int32_t>(hash64(user) % 4));
}

TEST(ShardDirectory, KnowsWhoHasAPartition) {
  ShardDirectory directory(log_partition, 2);
  EXPECT_EQ(directory.local(0), nullptr);
  const auto mailbox = std::make_shared<ShardMailbox>(nullptr);
  directory.set_local(1, mailbox);
  directory.set_remote(0, Instance{"other", "10.0.0.2:8080"});
  EXPECT_EQ(directory.local(1), mailbox);
  EXPECT_EQ(directory.local_partitions(), std::vector<int32_t>{1});
  EXPECT_EQ(directory.remote(0), (Instance{"other", "10.0.0.2:8080"}));
  EXPECT_EQ(directory.remote(1), std::nullopt);
  directory.set_local(1, nullptr);
  EXPECT_EQ(directory.local(1), nullptr);
}

TEST(ShardDirectory, HasNothingForANumberThatIsNoPartition) {
  ShardDirectory directory(log_partition, 0);
  for (const int32_t number : {-1, 0, 7}) {
    EXPECT_EQ(directory.local(number), nullptr);
    EXPECT_EQ(directory.remote(number), std::nullopt);
  }
  directory.set_partitions(1);
  EXPECT_EQ(directory.partition_of("anybody"), 0);
}

}  // namespace
}  // namespace segue::serving
