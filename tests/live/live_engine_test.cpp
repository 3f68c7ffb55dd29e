// SPDX-License-Identifier: Apache-2.0
#include "services/live/live_engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "tests/live/live_fixture.h"

namespace segue::live {
namespace {

constexpr Duration kDay = std::chrono::days{1};
const Time kStart = time_from_ms(1'700'000'000'000);

TEST_F(LiveTest, GivesWhatAReplayOfItsLogGives) {
  options_.partitions = 2;
  options_.cache_profiles = 100;
  options_.checkpoint_events = 3000;
  options_.commit_events = 700;
  start();
  std::mt19937_64 random(3);
  std::vector<uint64_t> sizes(2);
  const auto lines = generate(30'000, 5);
  for (size_t i = 0; i < lines.size();) {
    const size_t end = std::min<size_t>(lines.size(), i + 1 + random() % 2000);
    std::string parts[2];
    for (; i < end; ++i) parts[i % 7 == 0 ? 1 : 0] += lines[i];
    for (size_t p = 0; p < 2; ++p) append(p, parts[p]), sizes[p] += parts[p].size();
    if (random() % 8 == 0) {
      wait_until_taken(0, sizes[0] / 2);
      crash();
      start();
    }
  }
  for (int p = 0; p < 2; ++p) wait_until_taken(p, sizes[static_cast<size_t>(p)]);
  stop();
  const auto live = contents(options_.directory);
  const auto replayed = replay();
  ASSERT_GT(live.size(), 100u);
  EXPECT_EQ(live, replayed);
}

TEST_F(LiveTest, AnswersReadsWhileEventsFlow) {
  start();
  std::string lines;
  for (int i = 0; i < 5000; ++i) lines += purchase("u-" + std::to_string(i % 100), kStart + std::chrono::seconds(i));
  append(0, lines);
  uint64_t before = 0;
  wait_for(0, [&](serving::ShardReader& shard) {
    const uint64_t applied = shard.shard().totals().applied[static_cast<size_t>(event::EventType::kPurchase)];
    EXPECT_GE(applied, before) << "time goes on";
    before = applied;
    if (applied == 0) return false;
    const auto profile = shard.find("u-0");
    EXPECT_TRUE(profile && *profile != nullptr);
    return applied == 5000 && (*profile)->orders == 50;
  });
}

TEST_F(LiveTest, TellsReadsThatItsShardIsGone) {
  start();
  wait_until_taken(0, 0);
  const auto mailbox = engine().places().local(0);
  std::atomic<int> gone{0};
  ASSERT_TRUE(mailbox->post([&](serving::ShardReader* shard) { return gone += shard == nullptr ? 1 : 0, shard == nullptr; }));
  engine().stop(Clock::now());
  EXPECT_EQ(gone, 1);
  EXPECT_FALSE(mailbox->post([](serving::ShardReader*) { return true; }));
  EXPECT_EQ(engine().places().local(0), nullptr);
}

TEST_F(LiveTest, FeedsCommittedTransitionsAndResumesFromFiles) {
  start();
  wait_until_taken(0, 0);
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  const auto read_until = [&](serving::FeedCursor& cursor, size_t count) {
    std::vector<std::string> lines;
    const auto watch = engine().feed().watch([&] {
      const std::lock_guard lock(mutex);
      woken = true;
      changed.notify_one();
    });
    while (lines.size() < count) {
      const auto read = engine().feed().read(cursor, 1000, [&](const serving::TransitionFeed::Line& line) { lines.emplace_back(line.text); });
      EXPECT_TRUE(read) << read.error().message;
      if (!read || read->more || lines.size() >= count) continue;
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return woken; });
      woken = false;
    }
    return lines;
  };
  serving::FeedCursor cursor = engine().feed().end();
  append(0, purchase("u-1", kStart));
  const auto first = read_until(cursor, 1);
  EXPECT_NE(first.front().find("\"user_id\":\"u-1\""), std::string::npos);
  append(0, purchase("u-1", kStart + kDay) + purchase("u-2", kStart + kDay));
  wait_until_taken(0, 1);
  stop();
  const std::string file = *filelog::read_file(files_, options_.directory + "/transitions/shard-0.ndjson");
  const auto all = static_cast<size_t>(std::count(file.begin(), file.end(), '\n'));
  start();
  wait_until_taken(0, 0);
  serving::FeedCursor beginning = {{0, 0}};
  EXPECT_EQ(read_until(beginning, all).front(), first.front());
  EXPECT_EQ(beginning, engine().feed().end());
}

TEST_F(LiveTest, LapsesABuyerAtTheEndOfTheLogByTheWallClock) {
  std::atomic<int64_t> now_ms{to_ms(kStart + std::chrono::minutes(1))};
  options_.follow_wall_clock = true;
  options_.now = [&] { return time_from_ms(now_ms); };
  start();
  append(0, purchase("u-1", kStart));
  const auto stage = [](serving::ShardReader& shard) {
    const auto profile = shard.find("u-1");
    return profile && *profile != nullptr ? std::string(shard.definitions().stage_name((*profile)->stage)) : std::string();
  };
  wait_for(0, [&](serving::ShardReader& shard) { return stage(shard) == "buyer"; });
  now_ms = to_ms(kStart + 400 * kDay);
  wait_for(0, [&](serving::ShardReader& shard) { return stage(shard) == "lapsed"; });
  stop();
  const auto lapsed = contents(options_.directory);
  // The journal's steps are taken again: the same bytes without any state, and whatever the clock says then.
  std::filesystem::remove_all(options_.directory + "/state");
  std::filesystem::create_directory(options_.directory + "/state");
  options_.follow_wall_clock = false;
  start();
  wait_for(0, [&](serving::ShardReader& shard) { return stage(shard) == "lapsed"; });
  stop();
  EXPECT_EQ(contents(options_.directory), lapsed);
}

TEST_F(LiveTest, BringsNewDefinitionsIntoForceAndKeepsThem) {
  start();
  append(0, purchase("u-1", kStart));
  wait_for(0, [](serving::ShardReader& shard) { return shard.shard().users() == 1; });
  std::string text(segment::default_definitions());
  text.replace(text.find("5000"), 4, "6000");
  auto parsed = segment::Definitions::parse(text, "test");
  ASSERT_TRUE(parsed);
  const auto other = std::make_shared<const segment::Definitions>(std::move(*parsed));
  ASSERT_NE(other->hash(), engine().wanted()->hash());
  ASSERT_TRUE(engine().want(other));
  wait_for(0, [&](serving::ShardReader& shard) { return shard.definitions().hash() == other->hash() && !shard.pipeline().sweeping(); });
  crash();
  start();
  EXPECT_EQ(engine().wanted()->hash(), other->hash());
  wait_for(0, [&](serving::ShardReader& shard) { return shard.definitions().hash() == other->hash(); });
}

TEST_F(LiveTest, ReadsNoFurtherThanTheDurableBytes) {
  std::atomic<uint64_t> durable{0};
  options_.durable_bytes = [&](size_t) { return durable.load(); };
  start();
  const std::string one = purchase("u-1", kStart);
  append(0, one + purchase("u-2", kStart));
  wait_for(0, [](serving::ShardReader& shard) {
    EXPECT_EQ(shard.shard().users(), 0u);
    return true;
  });
  durable = one.size();
  engine().notice();
  wait_until_taken(0, one.size());
  wait_for(0, [&](serving::ShardReader& shard) {
    EXPECT_EQ(shard.shard().users(), 1u);
    return true;
  });
  durable = 2 * one.size();
  engine().notice();
  wait_for(0, [](serving::ShardReader& shard) { return shard.shard().users() == 2; });
}

TEST_F(LiveTest, RefusesAnotherNumberOfPartitions) {
  options_.partitions = 2;
  start();
  stop();
  options_.partitions = 3;
  auto engine = LiveEngine::open(files_, options_);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().kind, ErrorClass::kUsage);
  options_.partitions = 0;
  engine = LiveEngine::open(files_, options_);
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->log_files().size(), 2u);
}

TEST_F(LiveTest, TellsOfALogThatIsNotItsOwn) {
  start();
  append(0, purchase("u-1", kStart));
  wait_for(0, [](serving::ShardReader& shard) { return shard.shard().users() == 1; });
  stop();
  std::ofstream(options_.directory + "/log/0.ndjson", std::ios::trunc) << "{}\n";
  start();
  while (!engine().error()) std::this_thread::yield();
  EXPECT_EQ(engine().error()->kind, ErrorClass::kData);
  EXPECT_EQ(engine().statuses().front().state, ShardState::kStopped);
}

}  // namespace
}  // namespace segue::live
