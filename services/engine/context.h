// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "lib/base/hash.h"
#include "lib/base/result.h"
#include "lib/base/time.h"
#include "lib/config/config.h"
#include "lib/http/request_metrics.h"
#include "lib/kafka/client_options.h"
#include "lib/kafka/topic_inspector.h"
#include "lib/rocks/rocks_options.h"
#include "lib/segment/definitions.h"
#include "lib/serving/shard_directory.h"
#include "services/engine/clock_guard.h"
#include "services/engine/input_chunk.h"

namespace segue::engine {

inline Time wall_clock() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

// The definitions that every shard should have in force; replaced by a reload.
class WantedDefinitions {
 public:
  explicit WantedDefinitions(std::shared_ptr<const segment::Definitions> definitions) : definitions_(std::move(definitions)) {}

  std::shared_ptr<const segment::Definitions> get() const {
    const std::lock_guard lock(mutex_);
    return definitions_;
  }
  void set(std::shared_ptr<const segment::Definitions> definitions) {
    const std::lock_guard lock(mutex_);
    definitions_ = std::move(definitions);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const segment::Definitions> definitions_;
};

// A TopicInspector that several threads may ask, one after the other.
class SharedInspector {
 public:
  // Once `ending` is set nobody waits for another's answer.
  SharedInspector(std::unique_ptr<kafka::TopicInspector> inspector, const std::atomic<bool>& ending)
      : ending_(ending), inspector_(std::move(inspector)) {}

  Result<kafka::Watermarks> watermarks(kafka::Topic topic, int32_t partition) {
    constexpr std::chrono::milliseconds kTimeout{10'000};
    const std::lock_guard lock(mutex_);
    if (ending_) return fail(ErrorClass::kStop, "the process ends");
    auto answers = inspector_->watermarks(topic, {&partition, 1}, kTimeout);
    return std::move(answers.front().watermarks);
  }

 private:
  const std::atomic<bool>& ending_;
  std::mutex mutex_;
  std::unique_ptr<kafka::TopicInspector> inspector_;
};

// Rare things that several threads count.
struct Counters {
  std::atomic<uint64_t> replay_mismatches{0};
  std::atomic<uint64_t> damaged_states{0};
  std::atomic<uint64_t> snapshots_made{0};
  std::atomic<uint64_t> snapshots_failed{0};
  std::atomic<uint64_t> unread_partitions{0};
};

class Snapshotter;

// Where the shard of a partition is kept below state.directory.
inline std::string state_path(const std::string& directory, int32_t partition) { return directory + "/state/shard-" + std::to_string(partition); }

// What the parts of one engine share. Fixed once the engine runs, but for what guards itself.
struct Context {
  config::Config config;
  kafka::ClientOptions clients;
  size_t partitions = 1;  // of the input topic
  std::shared_ptr<rocksdb::Cache> block_cache;
  std::unique_ptr<WantedDefinitions> definitions;
  std::unique_ptr<SharedInspector> inspector;  // for openers
  Snapshotter* snapshotter = nullptr;          // null: no snapshots
  mutable Counters counters;
  std::atomic<bool> ending{false};  // the process is told to stop
  mutable ChunkPool chunks;
  // Where reads of this process's shards go.
  mutable serving::ShardDirectory places{[this](std::string_view user_id, size_t of) { return topic_partition(clients.partitioner, user_id, of); }};
  const std::shared_ptr<http::RequestMetrics> requests = std::make_shared<http::RequestMetrics>();  // of an API over these shards
  mutable ClockGuard clock_guard;

  std::string state_path(int32_t partition) const { return engine::state_path(config.state.directory, partition); }
};

}  // namespace segue::engine
