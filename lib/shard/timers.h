// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "lib/base/assert.h"
#include "lib/base/time.h"
#include "lib/shard/user_table.h"

namespace segue::shard {

struct TimerEntry {
  Time at = kNever;
  UserNumber user = kNoUser;
};

// Far timers: a radix heap (Ahuja, Mehlhorn, Orlin, Tarjan, JACM 1990). Time only moves forward, so that an entry sits in the bucket of the highest
// bit in which it differs from the last time taken, and moves down at most once a bit: an add is one append, exact to the millisecond over any span.
class Timers {
 public:
  // Requires at > horizon().
  void push(TimerEntry entry) {
    SEGUE_ASSERT(entry.at > horizon_);
    put(entry);
    ++size_;
  }
  // No entry is earlier; kNever when empty.
  Time next() const { return filled_ == 0 ? kNever : earliest_[static_cast<size_t>(std::countr_zero(filled_))]; }
  Time horizon() const { return horizon_; }
  size_t size() const { return size_; }

  // Appends the entries at or before `horizon` to `out` in ascending time and moves the horizon there. After `most` entries it stops, at the end of
  // the ties of the last, and the horizon is that time, as it is wherever there are more than `most`. It never moves back.
  void take(Time horizon, size_t most, std::vector<TimerEntry>& out) {
    const size_t before = out.size();
    while (next() <= horizon) {
      if (out.size() - before >= most) {
        horizon = last_;
        break;
      }
      open_first_bucket(out);
    }
    if (out.size() - before > most) horizon = last_;
    if (horizon > horizon_) horizon_ = horizon;
  }
  template <class Predicate>
  void erase_if(const Predicate& predicate) {
    size_ = 0;
    for (size_t b = 0; b < buckets_.size(); ++b) {
      auto& bucket = buckets_[b];
      std::erase_if(bucket, predicate);
      size_ += bucket.size();
      if (bucket.empty()) filled_ &= ~(uint64_t{1} << b);
      if (!bucket.empty()) earliest_[b] = std::min_element(bucket.begin(), bucket.end(), [](auto& x, auto& y) { return x.at < y.at; })->at;
    }
  }
  size_t memory_bytes() const {
    size_t bytes = 0;
    for (const auto& bucket : buckets_) bytes += bucket.capacity() * sizeof(TimerEntry);
    return bytes;
  }

 private:
  // Bucket b holds times whose highest bit that differs from `last_` is b.
  void put(TimerEntry entry) {
    const auto difference = static_cast<uint64_t>(to_ms(entry.at)) ^ static_cast<uint64_t>(to_ms(last_));
    const auto bucket = difference == 0 ? size_t{0} : static_cast<size_t>(std::bit_width(difference) - 1);
    if ((filled_ >> bucket & 1) == 0 || entry.at < earliest_[bucket]) earliest_[bucket] = entry.at;
    filled_ |= uint64_t{1} << bucket;
    buckets_[bucket].push_back(entry);
  }
  void open_first_bucket(std::vector<TimerEntry>& out) {
    const auto bucket = static_cast<size_t>(std::countr_zero(filled_));
    last_ = earliest_[bucket];
    opened_.clear();
    opened_.swap(buckets_[bucket]);
    filled_ &= ~(uint64_t{1} << bucket);
    for (const TimerEntry& entry : opened_) {
      if (entry.at == last_) {
        out.push_back(entry);
        --size_;
      } else {
        put(entry);
      }
    }
    // The larger buffer goes back to the bucket, so that the steady state allocates nothing.
    if (buckets_[bucket].empty() && buckets_[bucket].capacity() < opened_.capacity()) opened_.swap(buckets_[bucket]), buckets_[bucket].clear();
  }

  std::array<std::vector<TimerEntry>, 64> buckets_;
  std::array<Time, 64> earliest_{};
  uint64_t filled_ = 0;  // bit b: bucket b is not empty
  std::vector<TimerEntry> opened_;
  Time last_ = kNoTime;
  Time horizon_ = kNoTime;
  size_t size_ = 0;
};

}  // namespace segue::shard
