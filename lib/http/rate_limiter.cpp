// SPDX-License-Identifier: Apache-2.0
#include "lib/http/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace segue::http {

void RateLimiter::fill(Bucket& bucket, Time now) const {
  if (now <= bucket.filled) return;  // another thread's reading of the clock was later
  bucket.tokens = std::min(options_.burst, bucket.tokens + std::chrono::duration<double>(now - bucket.filled).count() * options_.per_second);
  bucket.filled = now;
}

RateLimiter::Bucket& RateLimiter::bucket_of(std::string_view key, Time now) {
  const auto found = buckets_.find(key);
  if (found != buckets_.end()) return found->second;
  if (buckets_.size() >= options_.max_keys) {
    for (auto entry = buckets_.begin(); entry != buckets_.end();) {
      fill(entry->second, now);
      entry = entry->second.tokens >= options_.burst ? buckets_.erase(entry) : std::next(entry);
    }
    if (buckets_.size() >= options_.max_keys) key = {};
  }
  return buckets_.try_emplace(std::string(key), Bucket{options_.burst, now}).first->second;
}

std::chrono::milliseconds RateLimiter::take(std::string_view key, double cost, Time now) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = bucket_of(key, now);
  fill(bucket, now);
  const double needed = std::min(cost, options_.burst);
  if (bucket.tokens >= needed) {
    bucket.tokens -= cost;
    return std::chrono::milliseconds(0);
  }
  return std::chrono::milliseconds(std::max<int64_t>(1, static_cast<int64_t>(std::ceil((needed - bucket.tokens) / options_.per_second * 1000))));
}

}  // namespace segue::http
