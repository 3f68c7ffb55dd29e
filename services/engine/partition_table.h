// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "services/engine/partition_view.h"

namespace segue::engine {

// Which partitions this process holds: each by one worker, or by the standby, at a time. All calls from any thread.
class PartitionTable {
 public:
  // Nobody: not held. Workers count from 0.
  static constexpr int kNobody = -2;
  static constexpr int kStandby = -1;

  // The group gave the partition to this worker, or took it away again: only who wants it waits for it.
  void want(int32_t partition, int worker);
  void unwant(int32_t partition, int worker);
  // Waits until nobody else holds the partition; false when end() or the worker's unwant() came first. Workers have precedence over the standby: see
  // wanted_of_standby().
  bool acquire(int32_t partition, int worker);
  // Takes it if nobody holds it and no worker waits for it.
  bool try_acquire(int32_t partition, int holder);
  void release(int32_t partition);
  // A worker waits for a partition that the standby holds.
  std::set<int32_t> wanted_of_standby() const;
  int holder(int32_t partition) const;
  // No acquire() waits any more.
  void end();

  // The place where the partition's holder publishes; the same for the life of the process.
  std::shared_ptr<PartitionView> view(int32_t partition);
  // Of the partitions that are held now, in their order.
  std::vector<std::pair<int, std::shared_ptr<PartitionView>>> held() const;
  // Of all that were ever held.
  std::vector<std::shared_ptr<PartitionView>> views() const;

 private:
  struct Entry {
    std::shared_ptr<PartitionView> view;
    int holder = kNobody;
    int waiting = 0;
    std::set<int> wanted_by;  // workers
  };
  Entry& entry(int32_t partition);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  std::map<int32_t, Entry> entries_;
  bool ended_ = false;
};

}  // namespace segue::engine
