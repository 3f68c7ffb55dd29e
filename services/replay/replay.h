// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/pipeline/progress.h"
#include "lib/pipeline/shard_pipeline.h"
#include "lib/segment/definitions.h"

namespace segue::replay {

struct ReplayOptions {
  std::vector<std::string> logs;                            // files, read in this order as one log; or one directory, each of its files a partition
  std::map<std::string, uint64_t> log_ends;                 // bytes that count, by absolute path: for files that grow meanwhile; else all
  std::string out;                                          // the state directory; created
  std::shared_ptr<const segment::Definitions> definitions;  // null: those of the directory; of a new one the default
  size_t shards = 1;                                        // of one log: its users are split over as many; also how many threads run
  size_t chunk_bytes = 1 << 20;
  size_t block_cache_bytes = size_t{64} << 20;  // RocksDB's, for all shards together
  bool sync = true;                             // false: a crash of the machine may damage the end of files
  pipeline::ShardPipeline::Options pipeline;    // partition, share and tells_rejects are filled in by replay()
};

// How far a replay is: read by other threads while it runs.
struct ReplayStatus {
  enum class Phase : uint8_t { kStarting, kRecovering, kRunning, kFinishing, kDone };
  std::atomic<Phase> phase{Phase::kStarting};
};

// What came out, over all shards; counts are of the whole life of the directory, not of this process.
struct ReplaySummary {
  shard::Totals totals;
  std::vector<uint64_t> population;  // users by stage
  uint64_t users = 0;
  std::vector<uint64_t> rejects;    // dead letters by reason
  Time high = kNoTime;              // largest event time
  uint64_t memory_bytes_users = 0;  // map and timers
  bool stopped = false;             // by stop(), before the log's end
};

// Replays logs into a state directory (docs/formats/state-directory.md). Running the same again goes on where the last commit ended.
class Replay {
 public:
  // Opens logs and directory, locks it. kUsage: another log, other definitions, another number of shards than the directory was made with.
  static Result<std::unique_ptr<Replay>> open(ReplayOptions options);
  ~Replay();
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  const ReplayStatus& status() const;
  // Of each shard. Any thread.
  std::vector<std::shared_ptr<const pipeline::Progress>> progress() const;
  // Bytes of the logs as they are on disk, and how many of them are read. Any thread.
  struct Bytes {
    uint64_t total = 0;
    uint64_t consumed = 0;
  };
  Bytes bytes() const;
  // Runs to the end of the logs. Any thread may call stop() meanwhile: then it commits, checkpoints and returns early.
  Result<ReplaySummary> run();
  void stop();

 private:
  struct Impl;
  explicit Replay(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace segue::replay
