// SPDX-License-Identifier: Apache-2.0
#include "services/segue/progress_display.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::program {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;
using Clock = ProgressDisplay::Clock;

SessionSample running(uint64_t percent) {
  return {.phase = replay::ReplayStatus::Phase::kRunning,
          .total_bytes = 1000,
          .consumed_bytes = 10 * percent,
          .records = 10'000 * percent,
          .outputs = 7,
          .dead_letters = 3,
          .users = 1234};
}

TEST(ProgressDisplay, ShowsShareRateAndTimeLeft) {
  ProgressDisplay display({.is_tty = true, .width = 160});
  const Clock::time_point start{};
  display.update(running(0), start);
  display.update(running(10), start + 1s);
  const std::string line = display.update(running(20), start + 2s);
  EXPECT_THAT(line, StartsWith("\r\x1b[2K"));
  EXPECT_THAT(line, HasSubstr(" 20 % "));
  EXPECT_THAT(line, HasSubstr("100,000/s"));
  EXPECT_THAT(line, HasSubstr("0:08 left"));
  EXPECT_THAT(line, HasSubstr("200,000 events  1,234 users  7 transitions  3 dead letters"));
  EXPECT_EQ(display.clear(), "\r\x1b[2K");
  EXPECT_EQ(display.clear(), "");
}

TEST(ProgressDisplay, RateIsThatOfTheLastSeconds) {
  ProgressDisplay display({.is_tty = true, .width = 160});
  const Clock::time_point start{};
  for (int i = 0; i <= 20; ++i) display.update(running(0), start + i * 1s);
  std::string line;
  for (int i = 1; i <= 6; ++i) line = display.update(running(static_cast<uint64_t>(i)), start + 20s + i * 1s);
  EXPECT_THAT(line, HasSubstr("10,000/s"));
}

TEST(ProgressDisplay, IsDrawnAtMostFiveTimesASecond) {
  ProgressDisplay display({.is_tty = true, .width = 80});
  const Clock::time_point start{};
  int drawn = 0;
  for (int i = 0; i < 1000; ++i) drawn += display.update(running(50), start + i * 1ms).empty() ? 0 : 1;
  EXPECT_EQ(drawn, 5);
}

TEST(ProgressDisplay, WithoutATerminalItIsALineEveryTenSeconds) {
  ProgressDisplay display({});
  const Clock::time_point start{};
  std::string all;
  for (int i = 0; i < 25; ++i) all += display.update(running(static_cast<uint64_t>(i)), start + i * 1s);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2);
  EXPECT_THAT(all, StartsWith("segue:  10 %"));
  EXPECT_EQ(all.find('\x1b'), std::string::npos);
}

TEST(ProgressDisplay, SaysThatItCatchesUp) {
  ProgressDisplay display({.is_tty = true, .width = 160});
  SessionSample sample = running(10);
  sample.records = 0;
  sample.replayed = 5000;
  EXPECT_THAT(display.update(sample, Clock::time_point{}), HasSubstr("catching up with the last commit: 5,000 events"));
  sample.phase = replay::ReplayStatus::Phase::kRecovering;
  EXPECT_THAT(display.update(sample, Clock::time_point{} + 1s), HasSubstr("recovering"));
}

}  // namespace
}  // namespace segue::program
