// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "lib/codec/tracking_call.h"
#include "lib/event/reject_reason.h"
#include "lib/intake/request_reader.h"
#include "lib/telemetry/metric_page.h"

namespace segue::collector {

// What a collector did since it started. Thread-safe.
class CollectorCounts {
 public:
  // What became of a request's events: counted once they are safe.
  using Types = std::array<uint64_t, event::kEventTypes>;
  void accepted(const Types& types) {
    for (size_t i = 0; i < types.size(); ++i)
      if (types[i] != 0) accepted_[i].fetch_add(types[i], std::memory_order_relaxed);
  }
  // Counted with every request that is answered with 200 or 422.
  void left_out(const intake::IntakeBatch& batch);
  // By an answer of 429 or 503: every event of the request has to come again.
  void refused(uint64_t events) { refused_.fetch_add(events, std::memory_order_relaxed); }

  void add_to(telemetry::MetricPage& page) const;

 private:
  std::array<std::atomic<uint64_t>, event::kEventTypes> accepted_{};
  std::array<std::atomic<uint64_t>, codec::kSkipReasons> skipped_{};
  std::array<std::atomic<uint64_t>, event::kRejectReasons> rejected_{};
  std::atomic<uint64_t> ignored_properties_{0};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace segue::collector
