// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "lib/telemetry/metric_page.h"
#include "services/live/shard_status.h"

namespace segue::live {

enum class Phase : uint8_t { kStarting, kRunning, kDraining, kFailed };
inline constexpr std::array<std::string_view, 4> kPhaseNames = {"starting", "running", "draining", "failed"};

// A moment of the whole embedded engine.
struct LiveView {
  Phase phase = Phase::kStarting;
  std::string instance;
  std::vector<ShardStatus> shards;
  std::shared_ptr<const segment::Definitions> definitions;  // those that are to be in force
  std::string log_trouble = {};                             // why the collector cannot write events now
};

// It runs, so does every shard, and events can be written.
bool is_ready(const LiveView& view);
// The body of /readyz (docs/operations.md).
std::string readiness_json(const LiveView& view);
// Adds what docs/metrics.md lists, but for the process's own.
void add_live_metrics(telemetry::MetricPage& page, const LiveView& view, Time now);

}  // namespace segue::live
