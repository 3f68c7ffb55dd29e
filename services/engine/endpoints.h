// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/telemetry/reload_status.h"
#include "services/engine/context.h"
#include "services/engine/partition_view.h"
#include "services/engine/totals.h"

namespace segue::engine {

enum class EnginePhase : uint8_t { kStarting, kRunning, kDraining, kFailed };
inline constexpr std::array<std::string_view, 4> kEnginePhaseNames = {"starting", "running", "draining", "failed"};

// A moment of the whole engine, for /readyz and /metrics.
struct EngineView {
  EnginePhase phase = EnginePhase::kStarting;
  std::string instance;
  std::string waits_for;   // before it is running
  Duration clock_jump{0};  // by how much the host's clock is ahead while it is not followed
  bool joined = false;     // every worker knows what the group gives it
  uint64_t rebalances = 0;
  std::vector<PartitionStatus> partitions;  // held ones, followed ones included
};

// It runs, the group has answered, and every partition that it owns runs.
bool is_ready(const EngineView& view);
// The body of /readyz (docs/operations.md).
std::string readiness_json(const EngineView& view);
// The body of /metrics.
std::string metrics_text(const EngineView& view, const Counted& counted, const telemetry::ReloadStatus& reload, const Context& context);

}  // namespace segue::engine
