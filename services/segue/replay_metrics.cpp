// SPDX-License-Identifier: Apache-2.0
#include "services/segue/replay_metrics.h"

#include "lib/http/router.h"
#include "lib/pipeline/version.h"
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

using Shards = std::vector<std::shared_ptr<const Progress>>;

// The shards' values together.
class Sums {
 public:
  explicit Sums(const Shards& shards) : shards_(shards) {}

  double of(Progress::Count Progress::*count) const {
    return sum([&](const Progress& shard) -> const Progress::Count& { return shard.*count; });
  }
  template <class Counts>
  double of(Counts Progress::*counts, size_t i) const {
    return sum([&](const Progress& shard) -> const Progress::Count& { return (shard.*counts)[i]; });
  }

 private:
  template <class Pick>
  double sum(const Pick& pick) const {
    uint64_t total = 0;
    for (const auto& shard : shards_) total += pick(*shard).load(std::memory_order_relaxed);
    return static_cast<double>(total);
  }
  const Shards& shards_;
};

void add_events(MetricPage& page, const Sums& sums) {
  page.add("segue_events_consumed_total", sums.of(&Progress::records));
  for (size_t i = 0; i < event::kEventTypes; ++i) page.add("segue_events_applied_total", sums.of(&Progress::applied, i), {event::kEventTypeNames[i]});
  page.add("segue_events_discarded_total", sums.of(&Progress::duplicates), {"duplicate"});
  page.add("segue_events_discarded_total", sums.of(&Progress::erased), {"erased"});
  for (size_t i = 0; i < event::kRejectReasons; ++i)
    page.add("segue_dlq_records_total", sums.of(&Progress::rejects, i), {event::kRejectReasonNames[i]});
  page.add("segue_replayed_events_total", sums.of(&Progress::replayed));
  page.add("segue_outputs_total", sums.of(&Progress::transitions));
  page.add("segue_timers_fired_total", sums.of(&Progress::timers_fired));
}

// Only of the shards that these definitions are in force for: others come to it in a moment.
void add_lifecycle(MetricPage& page, const Shards& all, const segment::Definitions& definitions) {
  Shards shards;
  for (const auto& shard : all)
    if (shard->definitions->hash() == definitions.hash()) shards.push_back(shard);
  const Sums sums(shards);
  const auto& moves = definitions.moves();
  for (size_t i = 0; i < moves.size(); ++i)
    page.add("segue_transitions_total", sums.of(&Progress::moves, i),
             {moves[i].name, definitions.stage_name(moves[i].from), definitions.stage_name(moves[i].to)});
  for (size_t i = 0; i < definitions.stages().size(); ++i) page.add("segue_profiles", sums.of(&Progress::population, i), {definitions.stage_name(i)});
}

void add_state(MetricPage& page, const Sums& sums) {
  page.add("segue_timers_pending", sums.of(&Progress::timers));
  page.add("segue_commits_total", sums.of(&Progress::commits));
  page.add("segue_committed_bytes_total", sums.of(&Progress::committed_bytes));
  page.add("segue_checkpoints_total", sums.of(&Progress::checkpoints));
  page.add("segue_checkpoint_pages_total", sums.of(&Progress::checkpoint_pages));
  page.add("segue_profile_cache_profiles", sums.of(&Progress::cached_profiles));
  page.add("segue_profile_cache_dirty_profiles", sums.of(&Progress::dirty_profiles));
  page.add("segue_profile_cache_misses_total", sums.of(&Progress::cache_misses));
  page.add("segue_user_table_bytes", sums.of(&Progress::memory_bytes));
}

}  // namespace

void add_replay_metrics(MetricPage& page, const replay::Replay* replay, const segment::Definitions* definitions, bool failed) {
  page.add("segue_build_info", 1, {pipeline::kProgramVersion});
  const size_t state = state_of(replay, failed);
  for (size_t i = 0; i < kStates.size(); ++i) page.add("segue_up_state", i == state ? 1 : 0, {kStates[i]});
  const Shards shards = replay == nullptr ? Shards() : replay->progress();
  const Sums sums(shards);
  add_events(page, sums);
  if (definitions != nullptr && replay != nullptr) add_lifecycle(page, shards, *definitions);
  add_state(page, sums);
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
  const auto parsed = http::parse_listen_address(address);
  if (!parsed) return tl::unexpected<Error>(parsed.error());
  http::Router router;
  router.get("/metrics", [&session, definitions](const http::Request&) {
    MetricPage page;
    add_replay_metrics(page, session.opened(), definitions.get(), session.failed());
    return http::Response{.content_type = std::string(MetricPage::kContentType), .body = page.text()};
  });
  router.get("/livez", [](const http::Request&) { return http::Response{.body = "ok\n"}; });
  // Ready: it has caught up with its last commit and takes new events.
  router.get("/readyz", [&session](const http::Request&) {
    const size_t state = state_of(session.opened(), session.failed());
    if (state == 2) return http::Response{.body = "ok\n"};
    return http::Response{.status = 503, .body = "the replay is " + std::string(kStates[state]) + "\n"};
  });
  http::Server::Options options;
  options.address = *parsed;
  auto server = http::Server::start(options, router);
  if (!server) return tl::unexpected<Error>(server.error());
  std::unique_ptr<MetricsEndpoint> endpoint(new MetricsEndpoint);
  endpoint->server_ = std::move(*server);
  print_error("segue: metrics at http://" + http::to_string(endpoint->server_->address()) + "/metrics\n");
  return endpoint;
}

}  // namespace segue::program
