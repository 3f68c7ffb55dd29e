// SPDX-License-Identifier: Apache-2.0
#include "services/collector/collector_counts.h"

namespace segue::collector {

void CollectorCounts::left_out(const intake::IntakeBatch& batch) {
  for (size_t i = 0; i < skipped_.size(); ++i)
    if (batch.calls.skipped[i] != 0) skipped_[i].fetch_add(batch.calls.skipped[i], std::memory_order_relaxed);
  for (size_t i = 0; i < rejected_.size(); ++i)
    if (batch.rejected[i] != 0) rejected_[i].fetch_add(batch.rejected[i], std::memory_order_relaxed);
  ignored_properties_.fetch_add(batch.calls.ignored_properties, std::memory_order_relaxed);
}

void CollectorCounts::add_to(telemetry::MetricPage& page) const {
  const auto value = [](const std::atomic<uint64_t>& count) { return static_cast<double>(count.load(std::memory_order_relaxed)); };
  for (size_t i = 0; i < accepted_.size(); ++i) page.add("segue_collector_events_total", value(accepted_[i]), {event::kEventTypeNames[i]});
  for (size_t i = 0; i < skipped_.size(); ++i) page.add("segue_collector_skipped_total", value(skipped_[i]), {codec::kSkipReasonNames[i]});
  for (size_t i = 0; i < rejected_.size(); ++i) page.add("segue_collector_rejected_total", value(rejected_[i]), {event::kRejectReasonNames[i]});
  page.add("segue_collector_properties_ignored_total", value(ignored_properties_));
  page.add("segue_collector_refused_total", value(refused_));
}

}  // namespace segue::collector
