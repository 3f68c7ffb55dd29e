// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/commit_status.h"

#include <algorithm>

namespace segue::kafka {

std::string_view name(CommitState state) {
  switch (state) {
    case CommitState::kClosed:
      return "closed";
    case CommitState::kIdle:
      return "idle";
    case CommitState::kCommitting:
      return "committing";
    case CommitState::kRecycling:
      return "recycling";
    case CommitState::kRetrying:
      return "retrying";
    case CommitState::kStopped:
      return "stopped";
  }
  return "unknown";
}

void CommitStatus::count_duration(double seconds) {
  const auto bucket = std::lower_bound(kCommitBucketSeconds.begin(), kCommitBucketSeconds.end(), seconds);
  ++duration_buckets[static_cast<size_t>(bucket - kCommitBucketSeconds.begin())];
  duration_sum_seconds += seconds;
}

}  // namespace segue::kafka
