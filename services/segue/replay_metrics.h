// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "lib/http/server.h"
#include "lib/telemetry/metric_page.h"
#include "services/segue/replay_session.h"

namespace segue::program {

// Adds the values of a replay as they stand, all series of every closed set included. `replay` is null until it is open; `failed`: it ended with an
// error.
void add_replay_metrics(telemetry::MetricPage& page, const replay::Replay* replay, const segment::Definitions* definitions, bool failed);

// /metrics, /livez and /readyz of a replay, while this lives. Says on standard error where it listens.
class MetricsEndpoint {
 public:
  // Both outlive the endpoint. kUsage for an address that is wrong or taken.
  static Result<std::unique_ptr<MetricsEndpoint>> start(const std::string& address, const ReplaySession& session,
                                                        std::shared_ptr<const segment::Definitions> definitions);

 private:
  MetricsEndpoint() = default;

  std::unique_ptr<http::Server> server_;
};

}  // namespace segue::program
