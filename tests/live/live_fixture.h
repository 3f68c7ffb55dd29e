// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "lib/base/hash.h"
#include "lib/codec/state_keys.h"
#include "lib/filelog/posix_file_system.h"
#include "services/live/live_engine.h"
#include "services/replay/replay.h"
#include "services/tools/generate/generate.h"

namespace segue::live {

// A directory with an engine over its log, and replays of it beside.
class LiveTest : public testing::Test {
 protected:
  LiveTest() {
    std::string name = (std::filesystem::temp_directory_path() / "segue-live-XXXXXX").string();
    root_ = mkdtemp(name.data());
    options_.directory = root_ + "/live";
    options_.sync = false;
    options_.follow_wall_clock = false;
  }
  ~LiveTest() override {
    engine_.reset();
    std::filesystem::remove_all(root_);
  }

  LiveEngine& engine() { return *engine_; }
  void start() {
    auto lock = filelog::lock_directory(files_, options_.directory);
    ASSERT_TRUE(lock) << lock.error().message;
    lock_ = std::move(*lock);
    auto engine = LiveEngine::open(files_, options_);
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = std::move(*engine);
    engine_->start();
  }
  void stop() {
    engine_->stop(Clock::now() + std::chrono::minutes(1));
    ASSERT_FALSE(engine_->error()) << engine_->error()->message;
    crash();
  }
  // What a crash of the process would leave.
  void crash() {
    engine_.reset();
    lock_.reset();
  }

  void append(size_t partition, std::string_view lines) {
    std::ofstream(options_.directory + "/log/" + std::to_string(partition) + ".ndjson", std::ios::app | std::ios::binary) << lines;
    if (engine_) engine_->notice();
  }
  // One line of a purchase.
  static std::string purchase(const std::string& user, Time ts) {
    static int number = 0;
    const std::string id = std::to_string(++number);
    return R"({"event_id":"e-)" + id + R"(","user_id":")" + user + R"(","type":"purchase","ts":)" + std::to_string(to_ms(ts)) +
           R"(,"item_id":"i","category":"c","price":10,"order_id":"o-)" + id + "\"}\n";
  }
  // Each line to the file of its user, as the collector does; broken ones to the first.
  static std::vector<std::string> generate(uint64_t events, uint64_t seed) {
    generate::GenerateOptions options;
    options.events = events;
    options.users = 500;
    options.seed = seed;
    generate::Generator generator(options);
    std::vector<std::string> lines;
    for (std::string line; generator.append_line(line); line.clear()) lines.push_back(line);
    return lines;
  }

  // Runs `look` in the shard, again and again, until it says true.
  void wait_for(int32_t partition, const std::function<bool(serving::ShardReader&)>& look) {
    for (;;) {
      const auto mailbox = engine_->places().local(partition);
      if (!mailbox) {
        ASSERT_FALSE(engine_->error()) << engine_->error()->message;
        std::this_thread::yield();
        continue;
      }
      std::mutex mutex;
      std::condition_variable changed;
      std::optional<bool> answer;
      ASSERT_TRUE(mailbox->post([&](serving::ShardReader* shard) {
        const std::lock_guard lock(mutex);
        answer = shard != nullptr && look(*shard);
        changed.notify_one();
        return true;
      }));
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return answer.has_value(); });
      if (*answer) return;
      lock.unlock();
      std::this_thread::yield();
    }
  }
  void wait_until_taken(int32_t partition, uint64_t bytes) {
    wait_for(partition, [&](serving::ShardReader& shard) { return shard.pipeline().position().offset >= bytes; });
  }

  // Outputs and pages of a state directory at rest.
  std::map<std::string, std::string> contents(const std::string& directory) {
    std::map<std::string, std::string> all;
    auto known = replay::StateDirectory::read(files_, directory);
    EXPECT_TRUE(known) << known.error().message;
    for (size_t i = 0; i < known->shards; ++i) {
      for (const std::string folder : {"transitions", "dead-letters"})
        all[folder + std::to_string(i)] = *filelog::read_file(files_, directory + "/" + folder + "/shard-" + std::to_string(i) + ".ndjson");
      rocks::RocksOptions options;
      options.path = known->state_path(i);
      auto store = rocks::RocksStore::open(options);
      EXPECT_TRUE(store) << store.error().message;
      EXPECT_TRUE((*store)->scan(codec::kPagePrefix, [&](std::string_view key, std::string_view value) -> Result<> {
        all["page " + std::to_string(i) + " " + std::string(key)] = value;
        return {};
      }));
    }
    return all;
  }
  std::map<std::string, std::string> replay() {
    replay::ReplayOptions options;
    options.logs = {options_.directory + "/log"};
    options.out = root_ + "/replay";
    options.sync = false;
    auto replay = replay::Replay::open(options);
    EXPECT_TRUE(replay) << replay.error().message;
    const auto run = (*replay)->run();
    EXPECT_TRUE(run) << run.error().message;
    replay->reset();
    return contents(options.out);
  }

  filelog::PosixFileSystem files_;
  std::string root_;
  LiveOptions options_;
  std::unique_ptr<filelog::FileLock> lock_;
  std::unique_ptr<LiveEngine> engine_;
};

}  // namespace segue::live
