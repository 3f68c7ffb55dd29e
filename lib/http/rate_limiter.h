// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace segue::http {

// A bucket of tokens per key: `burst` at most, `per_second` new ones. Time is passed in. Thread-safe.
class RateLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Options {
    double per_second = 100;
    double burst = 200;
    size_t max_keys = 10'000;  // beyond that, keys that have a full bucket are forgotten; where there is none, new keys share one bucket
  };

  explicit RateLimiter(Options options) : options_(options) {}

  // Takes `cost` from the key's bucket. Zero: taken. Else nothing was taken, and this is how long it is until there would be enough; a cost above
  // the burst is taken from a full bucket, which is then in debt.
  std::chrono::milliseconds take(std::string_view key, double cost, Time now);

 private:
  struct Bucket {
    double tokens = 0;
    Time filled;
  };
  void fill(Bucket& bucket, Time now) const;
  Bucket& bucket_of(std::string_view key, Time now);

  const Options options_;
  std::mutex mutex_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace segue::http
