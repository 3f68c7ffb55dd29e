// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lib/base/time.h"
#include "lib/segment/definitions.h"

namespace segue::live {

struct LiveOptions {
  std::string directory;                                    // the log is in DIRECTORY/log, everything else beside it
  size_t partitions = 0;                                    // files of the log; 0: as many as there are, of a new one 1
  std::shared_ptr<const segment::Definitions> definitions;  // null: those of the directory; of a new one the built-in ones
  // Bytes of a partition's file that are there for good; any thread, non-decreasing. LiveEngine::notice() tells that it has grown. Empty: the file's
  // size, looked at 50 times a second.
  std::function<uint64_t(size_t partition)> durable_bytes;

  // Over all partitions
  size_t cache_profiles = 1'000'000;
  size_t dirty_profiles = 400'000;
  size_t block_cache_bytes = size_t{256} << 20;

  Duration commit_interval{1'000};  // the longest time between commits when there are no outputs; outputs are committed at once
  uint64_t commit_events = 500'000;
  bool sync = true;  // false: a crash of the machine may damage the end of files

  bool follow_wall_clock = true;
  Duration clock_step{10'000};  // an idle partition's clock goes on by this much at a time

  uint64_t checkpoint_events = 1'000'000;
  Duration checkpoint_interval{30'000};

  // Of the shards; other times only in tests.
  std::function<Time()> now = [] { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); };
};

}  // namespace segue::live
