// SPDX-License-Identifier: Apache-2.0
// Three shards over one log, each on its own thread, decoding for one another: per user the same lines as one shard writes.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "services/replay/replay.h"

namespace segue::replay {
namespace {

namespace fs = std::filesystem;

void write_log(const fs::path& path) {
  std::ofstream log(path);
  for (int i = 0; i < 6000; ++i) {
    if (i % 97 == 0) log << "not an event\n";
    log << R"({"event_id":"e)" << i << R"(","type":")" << (i % 5 == 0 ? "purchase" : "click") << R"(","user_id":"用户)" << i * 7919 % 311
        << R"(","ts":)" << 1'700'000'000'000 + i * 600'000LL << R"(,"item_id":"i)" << i % 40 << R"(","category":"c)" << i % 9 << R"(","price":3.5})"
        << "\n";
  }
}

// Lines by user, in the order of the files; dead letters under the empty name.
std::map<std::string, std::vector<std::string>> lines_of(const fs::path& directory) {
  std::map<std::string, std::vector<std::string>> lines;
  for (const char* folder : {"transitions", "dead-letters"})
    for (const auto& entry : fs::directory_iterator(directory / folder)) {
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        const size_t at = line.find("\"user_id\":\"");
        lines[at == std::string::npos ? "" : line.substr(at, line.find('"', at + 11) - at)].push_back(line);
      }
    }
  return lines;
}

TEST(LogRun, ThreeShardsOnThreadsTellEachUserWhatOneShardTells) {
  const fs::path directory = fs::path(testing::TempDir()) / "log_run_threads";
  fs::remove_all(directory);
  fs::create_directories(directory);
  write_log(directory / "events.ndjson");
  std::map<size_t, std::map<std::string, std::vector<std::string>>> told;
  for (const size_t shards : {size_t{1}, size_t{3}}) {
    ReplayOptions options;
    options.logs = {directory / "events.ndjson"};
    options.out = directory / std::to_string(shards);
    options.shards = shards;
    options.chunk_bytes = 4096;
    options.sync = false;
    options.pipeline.commit_events = 500;
    options.pipeline.checkpoint_events = 700;
    auto replay = Replay::open(options);
    ASSERT_TRUE(replay) << replay.error().message;
    const auto summary = (*replay)->run();
    ASSERT_TRUE(summary) << summary.error().message;
    EXPECT_EQ(summary->users, 311u);
    told[shards] = lines_of(options.out);
  }
  EXPECT_GT(told[1].size(), 300u);
  EXPECT_EQ(told[1], told[3]);
  fs::remove_all(directory);
}

}  // namespace
}  // namespace segue::replay
