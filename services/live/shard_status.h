// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/time.h"
#include "lib/filelog/background_commits.h"
#include "lib/pipeline/progress.h"
#include "lib/rocks/rocks_store.h"

namespace segue::live {

enum class ShardState : uint8_t { kRestoring, kReplaying, kRunning, kPaused, kStopped };
inline constexpr std::array<std::string_view, 5> kShardStateNames = {"restoring", "replaying", "running", "paused", "stopped"};
constexpr std::string_view name(ShardState state) { return kShardStateNames[static_cast<size_t>(state)]; }

// A moment of one shard, for other threads.
struct ShardStatus {
  int32_t partition = 0;
  ShardState state = ShardState::kRestoring;
  std::string reason;           // why it is paused or stopped
  uint64_t position = 0;        // bytes of the log that were taken
  uint64_t log_end = 0;         // bytes that it has for good, as last seen
  uint64_t replay_end = 0;      // where the last commit ends that is known from an earlier life
  uint64_t commit = 0;          // sequence of the last durable one
  Time behind_since = kNoTime;  // since when something waits that no durable commit has; kNoTime: nothing
  Time high = kNoTime;          // the clock is this less the lateness
  Time next_timer = kNever;     // may be earlier than the truth
  Duration lateness{0};
  Time checkpoint_at = kNoTime;  // wall time of the last one installed by this process
  std::chrono::nanoseconds checkpoint_time{0};
  uint64_t reads_waiting = 0;
  filelog::BackgroundCommits::Status commits;
  rocks::StoreStatistics store;
  std::shared_ptr<const pipeline::Progress> progress;  // null before the state is read
};

}  // namespace segue::live
