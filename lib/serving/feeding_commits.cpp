// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/feeding_commits.h"

#include <utility>

namespace segue::serving {

FeedingCommits::~FeedingCommits() {
  if (begun_) feed_.close(partition_);
}

void FeedingCommits::begin(uint64_t stream_end) {
  if (std::exchange(begun_, true)) return;
  feed_.open(partition_, stream_end, archive_);
}

Result<> FeedingCommits::for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit) { return port_.for_each_since(sequence, hint, visit); }

Result<> FeedingCommits::submit(pipeline::Commit& commit) {
  std::string lines = commit.outputs.transition_lines;  // the port takes them
  const uint64_t length = commit.record.transitions.length;
  SEGUE_TRY(port_.submit(commit));
  begin(length - lines.size());
  in_flight_ = std::move(lines);
  return {};
}

Result<bool> FeedingCommits::settled() {
  auto settled = port_.settled();
  if (settled && *settled) publish();
  return settled;
}

Result<> FeedingCommits::wait() {
  SEGUE_TRY(port_.wait());
  publish();
  return {};
}

void FeedingCommits::publish() {
  if (begun_) feed_.publish(partition_, std::exchange(in_flight_, {}));
}

uint64_t FeedingCommits::journal_hint() const { return port_.journal_hint(); }

}  // namespace segue::serving
