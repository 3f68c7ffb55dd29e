// SPDX-License-Identifier: Apache-2.0
#include "services/segue/recount.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/tools/program_fixture.h"

namespace segue::program {
namespace {

class Recount : public ProgramTest {
 protected:
  Result<RecountReport> count_again(const std::string& out) {
    auto reader = StateReader::open(path(out));
    if (!reader) return tl::unexpected<Error>(reader.error());
    const std::string work = path("work-" + std::to_string(++works_));
    std::filesystem::create_directory(work);
    return recount(**reader, work, stop_, [](uint64_t, uint64_t) {});
  }
  std::atomic<bool> stop_{false};

 private:
  int works_ = 0;
};

TEST_F(Recount, AFinishedReplayComesOutTheSame) {
  const std::string log = make_log(20'000, 800);
  for (const size_t shards : {1u, 3u}) {
    const std::string out = "out-" + std::to_string(shards);
    const auto summary = run(replay_options(log, out, shards));
    const auto report = count_again(out);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->pages, summary.users);
    EXPECT_GE(report->commits, 10u);
    EXPECT_FALSE(report->stopped);
  }
}

TEST_F(Recount, APartitionedLogComesOutTheSame) {
  std::filesystem::create_directory(path("topic"));
  for (const uint64_t seed : {1u, 2u}) std::filesystem::copy(make_log(6000, 300, seed), path("topic/" + std::to_string(seed)));
  auto options = replay_options(path("topic"), "out");
  run(options);
  const auto report = count_again("out");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_GT(report->pages, 300u);
}

// Stops after a few chunks, as Ctrl-C does.
TEST_F(Recount, AReplayThatStoppedEarlyComesOutTheSameUpToThere) {
  auto options = replay_options(make_log(40'000, 800), "out");
  options.chunk_bytes = 1 << 14;
  {
    auto replay = replay::Replay::open(options);
    ASSERT_TRUE(replay);
    std::jthread stopper([&] {
      while ((*replay)->progress()[0]->commits < 3) std::this_thread::yield();
      (*replay)->stop();
    });
    ASSERT_TRUE((*replay)->run());
  }
  const auto report = count_again("out");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_GE(report->commits, 3u);
}

TEST_F(Recount, AnotherPriceInTheLogIsFound) {
  const std::string log = make_log(20'000, 800);
  run(replay_options(log, "out"));
  std::string text = read(log);
  // A category far behind the log's head, of an event that moves nobody: only a page tells.
  const size_t view = text.find("\"type\":\"view\"", text.size() / 2);
  const size_t price = text.find("\"brand\":\"b-", view) + 11;
  text[price] = text[price] == '9' ? '8' : '9';
  write(log, text);
  const auto report = count_again("out");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorClass::kData);
  EXPECT_THAT(report.error().message, testing::HasSubstr("page of user u-"));
}

TEST_F(Recount, AMissingPurchaseIsFound) {
  const std::string log = make_log(20'000, 800);
  run(replay_options(log, "out"));
  std::string text = read(log);
  const size_t at = text.find("\"type\":\"purchase\"", text.size() / 2) + 8;
  text.replace(at, 8, "checkout");
  write(log, text);
  const auto report = count_again("out");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorClass::kData);
}

TEST_F(Recount, AShorterLogIsFound) {
  const std::string log = make_log(20'000, 800);
  run(replay_options(log, "out"));
  const std::string text = read(log);
  write(log, text.substr(0, text.find('\n', text.size() * 3 / 4) + 1));
  const auto report = count_again("out");
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, testing::HasSubstr("the log ends before the last commit"));
}

TEST_F(Recount, StopsWhenAsked) {
  run(replay_options(make_log(5000, 300), "out"));
  stop_ = true;
  const auto report = count_again("out");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->stopped);
}

}  // namespace
}  // namespace segue::program
