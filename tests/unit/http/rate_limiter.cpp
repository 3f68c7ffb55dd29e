// SPDX-License-Identifier: Apache-2.0
#include "lib/http/rate_limiter.h"

#include <gtest/gtest.h>

namespace segue::http {
namespace {

using std::chrono::milliseconds;

const RateLimiter::Time kStart{std::chrono::hours(1)};

TEST(RateLimiter, LetsABurstPassAndThenTheRate) {
  RateLimiter limiter({.per_second = 10, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take("a", 1, kStart), milliseconds(0));
  EXPECT_EQ(limiter.take("a", 1, kStart), milliseconds(100));
  EXPECT_EQ(limiter.take("b", 1, kStart), milliseconds(0));
  EXPECT_EQ(limiter.take("a", 1, kStart + milliseconds(60)), milliseconds(40));
  EXPECT_EQ(limiter.take("a", 1, kStart + milliseconds(100)), milliseconds(0));
  EXPECT_EQ(limiter.take("a", 3, kStart + milliseconds(50)), milliseconds(300));  // a clock that was read earlier
}

TEST(RateLimiter, ALargeCostTakesAFullBucketIntoDebt) {
  RateLimiter limiter({.per_second = 10, .burst = 5});
  EXPECT_EQ(limiter.take("a", 20, kStart), milliseconds(0));
  EXPECT_EQ(limiter.take("a", 1, kStart), milliseconds(1600));
}

TEST(RateLimiter, ForgetsKeysThatHaveAFullBucket) {
  RateLimiter limiter({.per_second = 1, .burst = 1, .max_keys = 2});
  EXPECT_EQ(limiter.take("a", 1, kStart), milliseconds(0));
  EXPECT_EQ(limiter.take("b", 1, kStart), milliseconds(0));
  // No room: these two share a bucket.
  EXPECT_EQ(limiter.take("c", 1, kStart), milliseconds(0));
  EXPECT_EQ(limiter.take("d", 1, kStart), milliseconds(1000));
  const auto later = kStart + milliseconds(1000);
  EXPECT_EQ(limiter.take("e", 1, later), milliseconds(0));
  EXPECT_EQ(limiter.take("f", 1, later), milliseconds(0));
}

}  // namespace
}  // namespace segue::http
