// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "lib/pipeline/progress.h"
#include "lib/telemetry/metric_page.h"

namespace segue::serving {

// What shards of one process have done, added up: events, outputs, timers, commits, checkpoints, and, where `definitions` is not null, lifecycle (of
// the shards that these are in force for: others come to it in a moment).
void add_progress_metrics(telemetry::MetricPage& page, std::span<const std::shared_ptr<const pipeline::Progress>> shards,
                          const segment::Definitions* definitions);

}  // namespace segue::serving
