// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/time.h"
#include "lib/kafka/commit_status.h"
#include "lib/pipeline/progress.h"
#include "lib/rocks/rocks_store.h"
#include "lib/segment/definitions.h"

namespace segue::engine {

// Where a partition's shard is (docs/engine.md).
enum class PartitionState : uint8_t { kRestoring, kReplaying, kRunning, kPaused, kStopped, kFollowing };
inline constexpr std::array<std::string_view, 6> kPartitionStateNames = {"restoring", "replaying", "running", "paused", "stopped", "following"};
constexpr std::string_view name(PartitionState state) { return kPartitionStateNames[static_cast<size_t>(state)]; }

// A moment of one partition, for everybody who does not own it.
struct PartitionStatus {
  int32_t partition = 0;
  PartitionState state = PartitionState::kRestoring;
  std::string reason;
  uint64_t position = 0;
  uint64_t replay_end = 0;                 // where the journal's last known commit ends; position while nothing is replayed
  std::optional<uint64_t> high_watermark;  // as last seen
  uint64_t commit = 0;                     // sequence of the last durable one
  // The oldest record that no durable commit has; kNoTime when there is none.
  Time uncommitted_since = kNoTime;
  bool at_end = false;       // everything that the log was seen to have is taken
  Time high = kNoTime;       // the clock is this less the lateness
  Time next_timer = kNever;  // may be earlier than the truth
  Duration lateness{0};
  bool sweeping = false;
  Time checkpoint_at = kNoTime;  // wall time of the last one installed in this process
  std::chrono::nanoseconds checkpoint_time{0};
  Time snapshot_at = kNoTime;  // likewise
  std::chrono::nanoseconds snapshot_time{0};
  uint64_t queued_chunks = 0;
  kafka::CommitStatus commits;
  rocks::StoreStatistics store;
  std::shared_ptr<const pipeline::Progress> progress;  // null before the state is read
};

// What a life of a shard counted, when it has ended or its counting began anew.
struct EndedLife {
  std::shared_ptr<const pipeline::Progress> progress;  // null: counted already
  kafka::CommitStatus commits;                         // empty: goes on
};

class PartitionView {
 public:
  explicit PartitionView(int32_t partition) { status_.partition = partition; }

  PartitionStatus status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  // `change` gets the status to write into, under the lock: it must be quick.
  template <class Change>
  void update(const Change& change) {
    const std::lock_guard lock(mutex_);
    change(status_);
  }
  // The present shard counts there; null: there is none any more.
  void set_progress(std::shared_ptr<const pipeline::Progress> progress) {
    const std::lock_guard lock(mutex_);
    if (status_.progress == progress) return;
    if (status_.progress) ended_.push_back({status_.progress, {}});
    status_.progress = std::move(progress);
  }
  void end_commits() {
    const std::lock_guard lock(mutex_);
    ended_.push_back({nullptr, std::exchange(status_.commits, {})});
  }
  // Since the last call.
  std::vector<EndedLife> take_ended() {
    const std::lock_guard lock(mutex_);
    return std::exchange(ended_, {});
  }

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_
  PartitionStatus status_;
  std::vector<EndedLife> ended_;
};

}  // namespace segue::engine
