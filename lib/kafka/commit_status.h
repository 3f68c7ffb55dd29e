// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace segue::kafka {

enum class CommitState : uint8_t {
  kClosed,      // not opened yet
  kIdle,        // nothing is in flight
  kCommitting,  // a transaction is being made
  kRecycling,   // the producer is being replaced, and the journal read
  kRetrying,    // a broker is away or refuses for now: tries again after a while
  kStopped,     // for good, with the reason in `error`
};
std::string_view name(CommitState state);

// Upper bounds of the buckets of commit durations; one more bucket holds what is slower.
inline constexpr std::array<double, 14> kCommitBucketSeconds = {0.001, 0.002, 0.003, 0.005, 0.008, 0.012, 0.02, 0.04, 0.1, 0.25, 0.5, 1, 5, 30};

// How one partition's commits go: totals since open().
struct CommitStatus {
  CommitState state = CommitState::kClosed;
  std::string error;                       // the last one; empty after the next commit that went well
  bool fenced = false;                     // stopped because another owner writes: reason to ask the group, not the broker
  bool refused = false;                    // a right is missing, and a person has to give it
  uint64_t commits = 0;                    // settled
  uint64_t aborted = 0;                    // transactions given up and sent again
  uint64_t recycled = 0;                   // producers replaced
  uint64_t found_in_journal = 0;           // commits in doubt that the journal had
  uint64_t without_offsets = 0;            // commits that did not tell the group its offset
  std::chrono::microseconds in_flight{0};  // how long the present commit has been waiting; 0 when none
  double duration_sum_seconds = 0;         // submit to settled
  std::array<uint64_t, kCommitBucketSeconds.size() + 1> duration_buckets{};  // not cumulative

  void count_duration(double seconds);
};

}  // namespace segue::kafka
