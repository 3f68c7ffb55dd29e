// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/instance_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/hash.h"

namespace segue::serving {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

class InstanceBookTest : public testing::Test {
 protected:
  InstanceBookTest() { book_.listen(true, now_); }

  void hear(const std::string& name, std::vector<int32_t> partitions, Duration age = 0ms) {
    book_.hear({name, name + ":1", std::move(partitions), "", kNoTime}, now_, age);
  }
  // Who has each partition; "" where nobody has.
  std::vector<std::string> owners() {
    book_.publish(directory_, now_);
    std::vector<std::string> names;
    for (int32_t i = 0; i < 3; ++i) {
      const auto owner = directory_.remote(i);
      names.push_back(owner ? owner->name : "");
      if (owner) {
        EXPECT_EQ(owner->address, owner->name + ":1");
      }
    }
    return names;
  }

  InstanceBook::Clock::time_point now_{1h};
  InstanceBook book_{"me"};
  ShardDirectory directory_{kafka_partition, 3};
};

TEST_F(InstanceBookTest, TellsTheDirectoryWhoHasWhat) {
  hear("a", {0, 2, 700});
  hear("b", {1});
  EXPECT_THAT(owners(), ElementsAre("a", "b", "a"));
  hear("a", {0});
  EXPECT_THAT(owners(), ElementsAre("a", "b", ""));
}

TEST_F(InstanceBookTest, OwnRecordsTellNothing) {
  hear("me", {0, 1, 2});
  EXPECT_THAT(owners(), ElementsAre("", "", ""));
  EXPECT_THAT(book_.living(now_), IsEmpty());
}

TEST_F(InstanceBookTest, TheLastWordCountsWhereTwoNameOnePartition) {
  hear("b", {0});
  hear("a", {0});
  EXPECT_THAT(owners(), ElementsAre("a", "", ""));
  hear("b", {0});
  EXPECT_THAT(owners(), ElementsAre("b", "", ""));
}

TEST_F(InstanceBookTest, OneThatStoppedHasNothing) {
  hear("a", {0});
  book_.forget("a");
  book_.forget("nobody");
  EXPECT_THAT(owners(), ElementsAre("", "", ""));
}

TEST_F(InstanceBookTest, OneThatIsSilentForLongIsGone) {
  hear("a", {0});
  hear("b", {1});
  now_ += InstanceBook::kSilence;
  EXPECT_THAT(owners(), ElementsAre("a", "b", ""));
  hear("b", {1});
  now_ += 1ms;
  EXPECT_THAT(owners(), ElementsAre("", "b", ""));
  ASSERT_EQ(book_.living(now_).size(), 1u);
  EXPECT_EQ(book_.living(now_).front().instance, "b");
  hear("a", {0});
  EXPECT_THAT(owners(), ElementsAre("a", "b", ""));
}

TEST_F(InstanceBookTest, WhatWasSaidLongAgoIsNotTaken) {
  hear("a", {0}, 19s);
  hear("b", {1}, 21s);
  hear("c", {2}, -1h);  // its clock is ahead
  EXPECT_THAT(owners(), ElementsAre("a", "", "c"));
  hear("a", {0}, 21s);
  EXPECT_THAT(owners(), ElementsAre("", "", "c"));
}

TEST_F(InstanceBookTest, NobodyIsGoneWhileNobodyCanBeHeard) {
  hear("a", {0});
  book_.listen(false, now_);
  now_ += 1h;
  EXPECT_THAT(owners(), ElementsAre("a", "", ""));
  book_.listen(true, now_);
  now_ += InstanceBook::kSilence;
  book_.listen(true, now_);
  EXPECT_THAT(owners(), ElementsAre("a", "", ""));
  now_ += 1ms;
  EXPECT_THAT(owners(), ElementsAre("", "", ""));
}

TEST_F(InstanceBookTest, ItsSizeIsBounded) {
  for (int i = 0; i < 2000; ++i) hear("i-" + std::to_string(i), {0});
  EXPECT_EQ(book_.living(now_).size(), 1000u);
  now_ += InstanceBook::kSilence + 1ms;
  hear("new", {0});
  EXPECT_THAT(owners(), ElementsAre("new", "", ""));
}

}  // namespace
}  // namespace segue::serving
