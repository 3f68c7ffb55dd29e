// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/shard_mailbox.h"

#include <utility>

namespace segue::serving {

bool ShardMailbox::post(Read read) {
  const std::lock_guard lock(mutex_);
  if (closed_ || reads_.size() >= capacity_) return false;
  reads_.push_back(std::move(read));
  if (reads_.size() == 1 && wake_) wake_();
  return true;
}

bool ShardMailbox::empty() const {
  const std::lock_guard lock(mutex_);
  return reads_.empty();
}

void ShardMailbox::run(ShardReader& reader, std::chrono::nanoseconds budget) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + budget;
  size_t left = 0;
  {
    const std::lock_guard lock(mutex_);
    left = reads_.size();
  }
  for (; left > 0; --left) {
    Read read;
    {
      const std::lock_guard lock(mutex_);
      read = std::move(reads_.front());
      reads_.pop_front();
    }
    // One that goes on does so behind all others, and keeps its place even where the mailbox has filled up meanwhile.
    if (!read(&reader)) {
      const std::lock_guard lock(mutex_);
      reads_.push_back(std::move(read));
    }
    if (Clock::now() >= end) return;
  }
}

void ShardMailbox::close() {
  std::deque<Read> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.swap(reads_);
  }
  for (const Read& read : left) read(nullptr);
}

}  // namespace segue::serving
