// SPDX-License-Identifier: Apache-2.0
#include "services/tools/wording.h"

#include <gtest/gtest.h>

#include <cmath>

namespace segue::tools {
namespace {

using namespace std::chrono_literals;

TEST(Wording, NumbersAreGrouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(rate_text(812345.4), "812,345/s");
  EXPECT_EQ(money_text(Money{-1234567890000}), "-1,234,567.89");
  EXPECT_EQ(money_text(Money{129900000}), "129.9");
}

TEST(Wording, BytesHaveTheirUnit) {
  EXPECT_EQ(bytes_text(12), "12 B");
  EXPECT_EQ(bytes_text(1500), "1.5 kB");
  EXPECT_EQ(bytes_text(123'456'789), "123 MB");
  EXPECT_EQ(bytes_text(999'999), "1.0 MB");
}

TEST(Wording, DurationsHaveTheirTwoLargestUnits) {
  EXPECT_EQ(duration_text(30 * 24h), "30 d");
  EXPECT_EQ(duration_text(6 * 24h + 4h + 59min), "6 d 4 h");
  EXPECT_EQ(duration_text(65min), "1 h 5 min");
  EXPECT_EQ(duration_text(12s), "12 s");
  EXPECT_EQ(duration_text(250ms), "0.25 s");
  EXPECT_EQ(duration_text(0s), "0 s");
  EXPECT_EQ(duration_text(-90s), "-1 min 30 s");
}

TEST(Wording, PartsOfNothingHaveNoPercentage) {
  EXPECT_EQ(percent(1, 8), "12.5 %");
  EXPECT_EQ(percent(0, 0), "");
}

TEST(Wording, TimesAreInTheZone) {
  const Time t = time_from_ms(1'700'000'000'123);
  EXPECT_EQ(LocalClock("UTC").text(t), "2023-11-14 22:13:20");
  EXPECT_EQ(LocalClock("Asia/Shanghai").text(t), "2023-11-15 06:13:20");
  EXPECT_EQ(LocalClock("America/New_York").text(t), "2023-11-14 17:13:20");
  const LocalClock clock("UTC");
  EXPECT_EQ(clock.text(time_from_ms(-1)), "1969-12-31 23:59:59");
  EXPECT_EQ(clock.text(kNever), "never");
  EXPECT_EQ(clock.text(kNoTime), "-");
}

TEST(Wording, ComparedValuesAreShownByWhatTheyAre) {
  const LocalClock clock("UTC");
  EXPECT_EQ(compared_text(segment::ComparedUnit::kNumber, 2, clock), "2");
  EXPECT_EQ(compared_text(segment::ComparedUnit::kDuration, 2'592'000'000, clock), "30 d");
  EXPECT_EQ(compared_text(segment::ComparedUnit::kTime, 1'700'000'000'000, clock), "2023-11-14 22:13:20");
  EXPECT_EQ(compared_text(segment::ComparedUnit::kNumber, 0.123456, clock), "0.1235");
  EXPECT_EQ(compared_text(segment::ComparedUnit::kDuration, std::nan(""), clock), "unknown");
}

}  // namespace
}  // namespace segue::tools
