// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/pipeline/pipeline_fixture.h"

namespace segue::pipeline {
namespace {

using event::EventType;

// Each visit arms an hour for the cart and then days for the rest: what was armed before must not pile up behind.
TEST(TimerQueue, HoldsNoMoreForManyVisitsThanForOne) {
  TestLog log;
  Time now = kStart;
  log.add("a", EventType::kPurchase, now);
  for (int visit = 0; visit < 2000; ++visit) {
    now += std::chrono::minutes{10};
    log.add("a", EventType::kPurchase, now, 0, "i");
    log.add("a", EventType::kCart, now += std::chrono::minutes{1}, 0, "i");
    log.add("b", EventType::kView, now += std::chrono::hours{2});  // the cart's hour passes
  }
  ShardFiles files;
  const auto pipeline = make_pipeline({}, files);
  ASSERT_TRUE(live(*pipeline, files, log, 0, {}));
  EXPECT_LE(pipeline->shard().timers_pending(), 100U);
}

TEST(TimerQueue, FiresDeadlinesBefore1970) {
  shard::Timers timers;
  timers.push({time_from_ms(-5000), 1});
  timers.push({time_from_ms(1000), 2});
  std::vector<shard::TimerEntry> out;
  timers.take(time_from_ms(-1), 10, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].user, 1U);
}

}  // namespace
}  // namespace segue::pipeline
