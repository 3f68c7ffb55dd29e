// SPDX-License-Identifier: Apache-2.0
#include "services/segue/replay_metrics.h"

#include "lib/http/operations.h"
#include "lib/pipeline/version.h"
#include "lib/serving/progress_metrics.h"
#include "services/segue/console.h"

namespace segue::program {
namespace {

using Phase = replay::ReplayStatus::Phase;
using pipeline::Progress;
using telemetry::MetricPage;

constexpr std::array<std::string_view, 6> kStates = {"starting", "restoring", "running", "draining", "done", "failed"};

size_t state_of(const replay::Replay* replay, bool failed) {
  if (failed) return 5;
  return replay == nullptr ? 0 : static_cast<size_t>(replay->status().phase.load());
}

}  // namespace

void add_replay_metrics(MetricPage& page, const replay::Replay* replay, const segment::Definitions* definitions, bool failed) {
  page.add("segue_build_info", 1, {pipeline::kProgramVersion});
  const size_t state = state_of(replay, failed);
  for (size_t i = 0; i < kStates.size(); ++i) page.add("segue_up_state", i == state ? 1 : 0, {kStates[i]});
  const auto shards = replay == nullptr ? std::vector<std::shared_ptr<const Progress>>() : replay->progress();
  serving::add_progress_metrics(page, shards, replay == nullptr ? nullptr : definitions);
  if (replay != nullptr) {
    const auto bytes = replay->bytes();
    if (bytes.total > 0) {
      page.add("segue_replay_bytes", static_cast<double>(bytes.total));
      page.add("segue_replay_consumed_bytes", static_cast<double>(bytes.consumed));
    }
    for (size_t i = 0; i < shards.size(); ++i) {
      const int64_t clock_ms = shards[i]->clock_ms;
      if (clock_ms != 0) page.add("segue_watermark_timestamp_seconds", static_cast<double>(clock_ms) / 1000, {"shard-" + std::to_string(i)});
    }
  }
  telemetry::add_process_metrics(page);
}

Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::start(const std::string& address, const ReplaySession& session,
                                                                std::shared_ptr<const segment::Definitions> definitions) {
  http::Operations operations;
  operations.metrics = [&session, definitions] {
    MetricPage page;
    add_replay_metrics(page, session.opened(), definitions.get(), session.failed());
    return page.text();
  };
  // Ready: it has caught up with its last commit and takes new events.
  operations.readyz = [&session] {
    const size_t state = state_of(session.opened(), session.failed());
    if (state == 2) return http::Response{.body = "ok\n"};
    return http::Response{.status = 503, .body = "the replay is " + std::string(kStates[state]) + "\n"};
  };
  auto server = http::serve_operations(address, std::move(operations));
  if (!server) return tl::unexpected<Error>(server.error());
  std::unique_ptr<MetricsEndpoint> endpoint(new MetricsEndpoint);
  endpoint->server_ = std::move(*server);
  print_error("segue: metrics at http://" + http::to_string(endpoint->server_->address()) + "/metrics\n");
  return endpoint;
}

}  // namespace segue::program
