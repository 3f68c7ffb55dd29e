// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/shard_mailbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <thread>
#include <vector>

#include "lib/serving/shard_reader.h"
#include "tests/unit/serving/shard_fixture.h"

namespace segue::serving {
namespace {

constexpr std::chrono::hours kNoHurry{1};

class Mailbox : public ShardFixture {
 protected:
  void run(ShardMailbox& mailbox, std::chrono::nanoseconds budget = kNoHurry) {
    ShardReader reader(0, pipeline(), store());
    mailbox.run(reader, budget);
  }
};

TEST_F(Mailbox, RunsReadsInTheirOrder) {
  ShardMailbox mailbox(nullptr);
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(mailbox.post([&, i](ShardReader* shard) { return order.push_back(shard != nullptr ? i : -1), true; }));
  run(mailbox);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  EXPECT_TRUE(mailbox.empty());
}

TEST_F(Mailbox, CallsALongReadOnceARun) {
  ShardMailbox mailbox(nullptr);
  int calls = 0;
  int others = 0;
  ASSERT_TRUE(mailbox.post([&](ShardReader*) { return ++calls == 3; }));
  ASSERT_TRUE(mailbox.post([&](ShardReader*) { return ++others, true; }));
  run(mailbox);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(others, 1);
  run(mailbox);
  EXPECT_FALSE(mailbox.empty());
  run(mailbox);
  EXPECT_EQ(calls, 3);
  EXPECT_TRUE(mailbox.empty());
}

TEST_F(Mailbox, RunsOneReadEvenWithoutABudget) {
  ShardMailbox mailbox(nullptr);
  int calls = 0;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(mailbox.post([&](ShardReader*) { return ++calls, true; }));
  run(mailbox, std::chrono::nanoseconds(0));
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(mailbox.empty());
}

TEST_F(Mailbox, LeavesWhatIsPostedByAReadForTheNextRun) {
  ShardMailbox mailbox(nullptr);
  int calls = 0;
  ASSERT_TRUE(mailbox.post([&](ShardReader*) { return mailbox.post([&](ShardReader*) { return ++calls, true; }); }));
  run(mailbox);
  EXPECT_EQ(calls, 0);
  run(mailbox);
  EXPECT_EQ(calls, 1);
}

TEST_F(Mailbox, RefusesReadsWhenItIsFull) {
  ShardMailbox mailbox(nullptr, 2);
  const Read read = [](ShardReader*) { return true; };
  EXPECT_TRUE(mailbox.post(read));
  EXPECT_TRUE(mailbox.post(read));
  EXPECT_FALSE(mailbox.post(read));
  run(mailbox);
  EXPECT_TRUE(mailbox.post(read));
}

TEST_F(Mailbox, TellsItsReadsWhenItIsClosed) {
  std::vector<bool> gone;
  ShardMailbox mailbox(nullptr);
  ASSERT_TRUE(mailbox.post([&](ShardReader* shard) { return gone.push_back(shard == nullptr), false; }));
  run(mailbox);
  mailbox.close();
  EXPECT_EQ(gone, (std::vector<bool>{false, true}));
  EXPECT_FALSE(mailbox.post([](ShardReader*) { return true; }));
  EXPECT_TRUE(mailbox.empty());
}

TEST_F(Mailbox, WakesItsShardWhenTheFirstReadComes) {
  int wakes = 0;
  ShardMailbox mailbox([&] { ++wakes; });
  const Read read = [](ShardReader*) { return true; };
  ASSERT_TRUE(mailbox.post(read));
  ASSERT_TRUE(mailbox.post(read));
  EXPECT_EQ(wakes, 1);
  run(mailbox);
  ASSERT_TRUE(mailbox.post(read));
  EXPECT_EQ(wakes, 2);
}

TEST_F(Mailbox, AnswersEveryReadOfManyThreadsOnce) {
  constexpr int kThreads = 4;
  constexpr int kReads = 2000;
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  ShardMailbox mailbox(
      [&] {
        const std::lock_guard lock(mutex);
        woken = true;
        changed.notify_one();
      },
      64);
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  std::atomic<int> posting{kThreads};
  std::vector<std::jthread> posters;
  for (int t = 0; t < kThreads; ++t)
    posters.emplace_back([&] {
      for (int i = 0; i < kReads; ++i)
        if (!mailbox.post([&](ShardReader*) { return ++answered, true; })) ++refused;
      --posting;
    });
  // The shard's thread sleeps whenever the mailbox is empty: a wake that is lost would leave it asleep with reads in it.
  while (posting > 0 || !mailbox.empty()) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::milliseconds(100), [&] { return woken || posting == 0; });
    woken = false;
    lock.unlock();
    while (!mailbox.empty()) run(mailbox);
  }
  for (auto& poster : posters) poster.join();
  mailbox.close();
  EXPECT_EQ(answered + refused, kThreads * kReads);
  EXPECT_GT(answered, 0);
}

}  // namespace
}  // namespace segue::serving
