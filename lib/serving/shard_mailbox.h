// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace segue::serving {

class ShardReader;

// Runs on the shard's thread, between two batches. True: done. False: call again after the next batch; a long read works in slices of about a
// millisecond. Null: the shard has gone away (moved, closed), this is the last call. Never throws. Each read that was posted is called until it is
// done or was told that the shard is gone.
using Read = std::function<bool(ShardReader*)>;

// Where reads wait for their shard.
class ShardMailbox {
 public:
  // Reads in it at a time: at 10 us each the last waits 40 ms.
  static constexpr size_t kCapacity = 4096;

  // `wake` is called when the mailbox is no longer empty, by the poster, under the mailbox's lock: it must return at once and not call back. Never
  // after close().
  explicit ShardMailbox(std::function<void()> wake, size_t capacity = kCapacity) : capacity_(capacity), wake_(std::move(wake)) {}
  // Closes it.
  ~ShardMailbox() { close(); }
  ShardMailbox(const ShardMailbox&) = delete;
  ShardMailbox& operator=(const ShardMailbox&) = delete;

  // Any thread. False: full or closed, and the read is not kept.
  [[nodiscard]] bool post(Read read);
  bool empty() const;

  // The shard's thread: calls each waiting read once, in order, until `budget` is used up; at least one. Reads posted meanwhile wait for the next
  // run.
  void run(ShardReader& reader, std::chrono::nanoseconds budget);
  // The shard's thread, or when it runs no more: every read left is called with null, and no more are taken.
  void close();

 private:
  const size_t capacity_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  // Guarded by mutex_
  std::deque<Read> reads_;
  bool closed_ = false;
};

}  // namespace segue::serving
