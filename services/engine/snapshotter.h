// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "lib/rocks/rocks_store.h"
#include "lib/rocks/snapshots.h"
#include "services/engine/context.h"
#include "services/engine/partition_view.h"

namespace segue::engine {

// The snapshots of one partition, wherever they were made. Requires that snapshots.directory is set.
std::shared_ptr<rocks::Snapshots> open_snapshots(const config::Config& config, int32_t partition);
// The newest that can be restored and is not in `damaged`; nothing where there is none.
Result<std::optional<rocks::Snapshot>> find_newest(rocks::Snapshots& snapshots, const std::set<std::string>& damaged);

// Makes a snapshot of each shard every snapshots.interval, one after the other, on a thread of its own.
class Snapshotter {
 public:
  // `context` outlives it.
  explicit Snapshotter(const Context& context);
  ~Snapshotter();
  Snapshotter(const Snapshotter&) = delete;
  Snapshotter& operator=(const Snapshotter&) = delete;

  // From any thread. `store` stays until withdraw().
  void enroll(int32_t partition, const rocks::RocksStore& store, std::shared_ptr<PartitionView> view);
  // Waits for a snapshot that is being made, which is cut short. No-op for a partition that is not enrolled.
  void withdraw(int32_t partition);

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    const rocks::RocksStore* store = nullptr;
    std::shared_ptr<PartitionView> view;
    std::shared_ptr<rocks::Snapshots> snapshots;
    Clock::time_point due;
    bool seen = false;  // when the last one was made is known
  };

  void run();
  // The time until the next one that worked, or is tried again.
  Clock::duration make(int32_t partition, const Entry& entry);
  Clock::duration until_first(const Entry& entry);

  const Context& context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  std::map<int32_t, Entry> entries_;
  std::optional<int32_t> working_on_;
  bool ending_ = false;

  std::thread thread_;
};

}  // namespace segue::engine
