// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "services/replay/replay.h"
#include "services/tools/generate/generate.h"

namespace segue::program {

// A directory of its own, with logs and state directories in it.
class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    std::string name = (std::filesystem::temp_directory_path() / "segue-tools-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~ProgramTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  static std::string read(const std::string& file) {
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }
  static void write(const std::string& file, std::string_view text) { std::ofstream(file) << text; }

  std::string make_log(uint64_t events, uint32_t users, uint64_t seed = 1) const {
    generate::GenerateOptions options;
    options.events = events;
    options.users = users;
    options.seed = seed;
    options.chinese = 0.5;
    const std::string file = path("log-" + std::to_string(seed) + ".ndjson");
    const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    EXPECT_TRUE(generate::write_log(options, fd));
    close(fd);
    return file;
  }
  static std::shared_ptr<const segment::Definitions> parse(std::string_view yaml) {
    auto definitions = segment::Definitions::parse(yaml, "test.yaml");
    EXPECT_TRUE(definitions) << segment::to_string(definitions.error());
    return std::make_shared<const segment::Definitions>(std::move(*definitions));
  }
  replay::ReplayOptions replay_options(const std::string& log, const std::string& out, size_t shards = 1) const {
    replay::ReplayOptions options;
    options.logs = {log};
    options.out = path(out);
    options.shards = shards;
    options.sync = false;
    options.definitions = parse(segment::default_definitions());
    options.pipeline.batch_events = 500;
    options.pipeline.commit_events = 1000;
    options.pipeline.checkpoint_events = 4000;
    return options;
  }
  static replay::ReplaySummary run(const replay::ReplayOptions& options) {
    auto replay = replay::Replay::open(options);
    EXPECT_TRUE(replay) << replay.error().message;
    auto summary = (*replay)->run();
    EXPECT_TRUE(summary) << summary.error().message;
    return std::move(*summary);
  }

 private:
  std::string directory_;
};

}  // namespace segue::program
