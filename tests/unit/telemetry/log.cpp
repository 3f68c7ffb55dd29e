// SPDX-License-Identifier: Apache-2.0
#include "lib/telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <limits>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace segue::telemetry {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;
using testing::StartsWith;

using std::chrono::seconds;

class Log : public testing::Test {
 protected:
  void SetUp() override {
    file_ = std::tmpfile();
    ASSERT_NE(file_, nullptr);
  }
  void TearDown() override {
    log::configure({});
    std::fclose(file_);
  }

  void configure(log::Level level, log::Format format = log::Format::kText) { log::configure({.level = level, .format = format, .out = file_}); }

  std::vector<std::string> lines() {
    std::rewind(file_);
    std::string text;
    for (int c = 0; (c = std::fgetc(file_)) != EOF;) text += static_cast<char>(c);
    std::vector<std::string> out;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) out.push_back(line);
    return out;
  }
  // The lines without their times.
  std::vector<std::string> texts() {
    std::vector<std::string> out = lines();
    for (std::string& line : out) line = std::regex_replace(line, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"), "T");
    return out;
  }

  std::FILE* file_ = nullptr;
};

TEST_F(Log, ALineHasTimeLevelMessageAndFields) {
  configure(log::Level::kInfo);
  log::info("partition taken over", {{"partition", 3}, {"reason", "rebalance"}});
  ASSERT_THAT(lines(), SizeIs(1));
  EXPECT_TRUE(std::regex_match(
      lines()[0], std::regex(R"(20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z INFO partition taken over partition=3 reason=rebalance)")))
      << lines()[0];
}

TEST_F(Log, TimesAreUtcWhateverTheTimeZone) {
  setenv("TZ", "Asia/Shanghai", 1);
  tzset();
  configure(log::Level::kInfo);
  const std::time_t before = std::time(nullptr);
  log::info("now");
  const std::time_t after = std::time(nullptr);
  unsetenv("TZ");
  tzset();
  std::tm parts{};
  ASSERT_NE(strptime(lines().at(0).c_str(), "%Y-%m-%dT%H:%M:%S", &parts), nullptr);
  const std::time_t written = timegm(&parts);
  EXPECT_TRUE(before <= written && written <= after) << lines()[0];
}

TEST_F(Log, TextQuotesWhatIsNoPlainWord) {
  configure(log::Level::kDebug);
  const std::string name = "a b";
  log::debug("values", {{"text", name},
                        {"view", std::string_view("x=1")},
                        {"empty", ""},
                        {"quote", "say \"hi\""},
                        {"lines", "a\nb\tc\x1b"},
                        {"yes", true},
                        {"no", false},
                        {"small", int8_t{-5}},
                        {"large", std::numeric_limits<uint64_t>::max()},
                        {"real", 0.25}});
  EXPECT_THAT(texts(),
              ElementsAre("T DEBUG values text=\"a b\" view=\"x=1\" empty=\"\" quote=\"say \\\"hi\\\"\" lines=\"a\\nb\\tc\\u001b\" yes=true no=false "
                          "small=-5 large=18446744073709551615 real=0.25"));
}

TEST_F(Log, JsonIsOneObjectALine) {
  configure(log::Level::kInfo, log::Format::kJson);
  log::warn("a \"warning\"\n",
            {{"partition", 3}, {"text", "女装 \\ \xff"}, {"share", 0.5}, {"none", std::numeric_limits<double>::quiet_NaN()}, {"on", true}});
  log::error("bare");
  EXPECT_THAT(
      texts(),
      ElementsAre("{\"time\":\"T\",\"level\":\"warn\",\"message\":\"a \\\"warning\\\"\\n\",\"partition\":3,\"text\":\"女装 \\\\ \xef\xbf\xbd\","
                  "\"share\":0.5,\"none\":\"nan\",\"on\":true}",
                  "{\"time\":\"T\",\"level\":\"error\",\"message\":\"bare\"}"));
}

TEST_F(Log, NothingInALineIsTakenForAPatternOrAFormat) {
  configure(log::Level::kInfo);
  log::info("100 % {} %v", {{"path", "%Y{0}"}});
  EXPECT_THAT(texts(), ElementsAre("T INFO 100 % {} %v path=%Y{0}"));
}

TEST_F(Log, BytesThatAreNotUtf8AreReplaced) {
  configure(log::Level::kInfo);
  log::info("x", {{"a", "\xe5\xa5"}, {"b", "\xc0\xaf"}, {"c", "\xed\xa0\x80"}, {"d", "\xf4\x90\x80\x80"}});
  const std::string r = "\xef\xbf\xbd";
  EXPECT_THAT(texts(), ElementsAre("T INFO x a=\"" + r + r + "\" b=\"" + r + r + "\" c=\"" + r + r + r + "\" d=\"" + r + r + r + r + "\""));
}

TEST_F(Log, LinesBelowTheLevelAreNotWritten) {
  configure(log::Level::kWarn);
  log::debug("1");
  log::info("2");
  log::warn("3");
  log::error("4");
  EXPECT_FALSE(log::is_on(log::Level::kInfo));
  log::set_level(log::Level::kDebug);
  log::debug("5");
  EXPECT_TRUE(log::is_on(log::Level::kDebug));
  EXPECT_THAT(texts(), ElementsAre("T WARN 3", "T ERROR 4", "T DEBUG 5"));
}

TEST_F(Log, LinesOfSeveralThreadsStayWhole) {
  configure(log::Level::kInfo);
  constexpr int kThreads = 4;
  constexpr int kLines = 100;
  const std::string filling(200, 'x');
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kLines; ++i) {
        log::info("line", {{"thread", t}, {"filling", filling}, {"end", true}});
        if (t == 0) log::set_level(i % 2 == 0 ? log::Level::kDebug : log::Level::kInfo);
      }
    });
  for (auto& thread : threads) thread.join();
  const auto seen = texts();
  EXPECT_THAT(seen, AllOf(SizeIs(kThreads * kLines), Each(AllOf(StartsWith("T INFO line thread="), EndsWith(" filling=" + filling + " end=true")))));
}

TEST_F(Log, NamesAreThoseOfTheConfiguration) {
  EXPECT_EQ(log::parse_level("warn"), log::Level::kWarn);
  EXPECT_EQ(log::parse_level("debug"), log::Level::kDebug);
  EXPECT_EQ(log::parse_level("WARN"), std::nullopt);
  EXPECT_EQ(log::parse_format("json"), log::Format::kJson);
  EXPECT_EQ(log::parse_format("text"), log::Format::kText);
  EXPECT_EQ(log::parse_format(""), std::nullopt);
}

TEST_F(Log, AThrottledLineComesOnceAnIntervalAndSaysHowManyDidNot) {
  configure(log::Level::kInfo);
  log::Throttle throttle(seconds{30});
  const auto at = [&](int second) {
    return throttle.write(log::Level::kWarn, "broker away", {{"broker", 1}}, log::Throttle::Clock::time_point{seconds{second}});
  };
  EXPECT_TRUE(at(100));
  EXPECT_FALSE(at(101));
  EXPECT_FALSE(at(129));
  EXPECT_TRUE(at(130));
  EXPECT_TRUE(at(160));
  EXPECT_THAT(texts(), ElementsAre("T WARN broker away broker=1", "T WARN broker away broker=1 suppressed=2", "T WARN broker away broker=1"));
}

TEST_F(Log, OnlyTheSameLineIsHeldBack) {
  configure(log::Level::kInfo);
  log::Throttle throttle(seconds{30});
  const log::Throttle::Clock::time_point now{seconds{100}};
  EXPECT_TRUE(throttle.write(log::Level::kWarn, "broker away", {{"broker", 1}}, now));
  EXPECT_TRUE(throttle.write(log::Level::kWarn, "broker away", {{"broker", 2}}, now));
  EXPECT_TRUE(throttle.write(log::Level::kWarn, "broker back", {{"broker", 1}}, now));
  EXPECT_FALSE(throttle.write(log::Level::kWarn, "broker away", {{"broker", 2}}, now));
  EXPECT_FALSE(throttle.write(log::Level::kDebug, "below the level", {}, now));
  EXPECT_THAT(lines(), SizeIs(3));
}

TEST_F(Log, AThrottleForgetsTheLineWrittenLongestAgo) {
  configure(log::Level::kError);
  log::Throttle throttle(seconds{3600});
  const auto at = [&](int line, int second) {
    return throttle.write(log::Level::kError, "line", {{"number", line}}, log::Throttle::Clock::time_point{seconds{second}});
  };
  for (int i = 0; i < 256; ++i) EXPECT_TRUE(at(i, i)) << i;
  EXPECT_FALSE(at(0, 256)) << "256 lines are remembered";
  EXPECT_TRUE(at(256, 257));
  EXPECT_FALSE(at(1, 258));
  EXPECT_TRUE(at(0, 259)) << "the oldest made room";
}

}  // namespace
}  // namespace segue::telemetry
