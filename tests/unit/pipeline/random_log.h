// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>

#include "tests/unit/pipeline/pipeline_fixture.h"

namespace segue::pipeline {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t below(uint64_t n) { return engine_() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

inline TestLog draw_log(Random& random, size_t shards) {
  using event::EventType;
  static constexpr EventType kTypes[] = {EventType::kView, EventType::kClick, EventType::kCart, EventType::kPurchase, EventType::kCartRemove};
  static constexpr Duration kSteps[] = {Duration{0}, std::chrono::seconds{1}, std::chrono::hours{1}, kDay, 9 * kDay};
  TestLog log(shards);
  const size_t records = 20 + random.below(150);
  const uint64_t users = 2 + random.below(40);
  Time now = kStart;
  const bool has_ties = random.one_in(2);  // timers of many users fall on one moment
  for (size_t i = 0; i < records; ++i) {
    if (random.one_in(15)) {
      log.add_reject();
      continue;
    }
    if (i > 0 && random.one_in(10)) {
      log.repeat(random.below(i));
      continue;
    }
    if (!has_ties || random.one_in(5)) now += static_cast<int64_t>(random.below(3)) * kSteps[random.below(std::size(kSteps))];
    const Duration late =
        random.one_in(6) ? static_cast<int64_t>(random.below(40)) * kDay : Duration{has_ties ? 0 : static_cast<int64_t>(random.below(30'000))};
    const uint64_t user = random.below(users);
    const EventType type = random.one_in(15) ? EventType::kDelete : kTypes[random.below(std::size(kTypes))];
    log.add("u" + std::to_string(user), type, now - late, user % shards);
  }
  return log;
}

inline ShardPipeline::Options draw_options(Random& random) {
  static constexpr size_t kBatches[] = {1, 2, 5, 64};
  ShardPipeline::Options options;
  options.batch_events = kBatches[random.below(std::size(kBatches))];
  options.sweep_users = options.batch_events;
  if (random.one_in(2)) options.call_batches = 1 + random.below(3);
  options.commit_events = 1 + random.below(20);
  options.commit_bytes = random.one_in(3) ? 300 : 1 << 20;
  options.checkpoint_events = 1 + random.below(40);
  options.cache_profiles = 1 + random.below(10);
  options.dirty_profiles = 1 + random.below(20);
  return options;
}

}  // namespace segue::pipeline
