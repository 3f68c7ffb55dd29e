// SPDX-License-Identifier: Apache-2.0
#include "lib/shard/timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace segue::shard {
namespace {

using Entries = std::vector<TimerEntry>;

std::vector<int64_t> times(const Entries& entries) {
  std::vector<int64_t> result;
  for (const TimerEntry& entry : entries) result.push_back(to_ms(entry.at));
  return result;
}

TEST(Timers, AreTakenInTheOrderOfTimeUpToTheHorizon) {
  Timers timers;
  for (const int64_t at : std::vector<int64_t>{500, 3, 90, 91, 4'000'000'000'000}) timers.push({time_from_ms(at), 1});
  Entries taken;
  timers.take(time_from_ms(91), 100, taken);
  EXPECT_EQ(times(taken), (std::vector<int64_t>{3, 90, 91}));
  EXPECT_EQ(timers.next(), time_from_ms(500));
  EXPECT_EQ(timers.size(), 2u);
}

TEST(Timers, AnEmptyQueueHasNoNext) {
  Timers timers;
  EXPECT_EQ(timers.next(), kNever);
  Entries taken;
  timers.take(time_from_ms(1000), 100, taken);
  EXPECT_TRUE(taken.empty());
  EXPECT_EQ(timers.horizon(), time_from_ms(1000));
}

TEST(Timers, AStormIsCutBehindTheTiesOfOneMoment) {
  Timers timers;
  for (UserNumber user = 0; user < 10; ++user) timers.push({time_from_ms(user < 6 ? 100 : 200), user});
  Entries taken;
  timers.take(time_from_ms(1000), 4, taken);
  EXPECT_EQ(taken.size(), 6u);
  EXPECT_EQ(timers.horizon(), time_from_ms(100));
  timers.take(time_from_ms(1000), 4, taken);
  EXPECT_EQ(taken.size(), 10u);
}

TEST(Timers, AgreeWithASortedSetOverRandomHistories) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random(seed);
    Timers timers;
    std::multiset<std::pair<int64_t, UserNumber>> expected;
    int64_t now = 0;
    for (int step = 0; step < 400; ++step) {
      if (random() % 3 != 0) {
        const int64_t at = now + 1 + static_cast<int64_t>(random() % (uint64_t{1} << (random() % 40)));
        const auto user = static_cast<UserNumber>(random() % 1000);
        timers.push({time_from_ms(at), user});
        expected.emplace(at, user);
        continue;
      }
      now += static_cast<int64_t>(random() % (uint64_t{1} << (random() % 40)));
      Entries taken;
      timers.take(time_from_ms(now), SIZE_MAX, taken);
      const auto all = times(taken);
      EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
      std::multiset<std::pair<int64_t, UserNumber>> got;
      for (const TimerEntry& entry : taken) got.emplace(to_ms(entry.at), entry.user);
      const auto end = expected.upper_bound({now, UINT32_MAX});
      EXPECT_EQ(got, (std::multiset<std::pair<int64_t, UserNumber>>(expected.begin(), end))) << "seed " << seed;
      expected.erase(expected.begin(), end);
      EXPECT_EQ(timers.next(), expected.empty() ? kNever : time_from_ms(expected.begin()->first));
    }
  }
}

}  // namespace
}  // namespace segue::shard
