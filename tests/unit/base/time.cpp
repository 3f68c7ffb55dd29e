// SPDX-License-Identifier: Apache-2.0
#include "lib/base/time.h"

#include <gtest/gtest.h>

namespace segue {
namespace {

TEST(Time, MillisecondsComeBack) {
  EXPECT_EQ(to_ms(time_from_ms(1'700'000'000'123)), 1'700'000'000'123);
  EXPECT_EQ(to_ms(time_from_ms(0)), 0);
}

TEST(Time, LatestTimeIsTheLastMillisecondOfTheYear9999) {
  using namespace std::chrono;
  EXPECT_EQ(kLatestTime + 1ms, sys_days{year{10000} / January / 1});
}

TEST(Time, WindowsOfACenturyAfterTheLatestTimeDoNotOverflow) {
  EXPECT_LT(kLatestTime + std::chrono::years{100}, kNever);
  EXPECT_GT(kLatestTime + std::chrono::years{100}, kLatestTime);
  EXPECT_LT(kNoTime, time_from_ms(0));
}

}  // namespace
}  // namespace segue
