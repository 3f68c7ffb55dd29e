// SPDX-License-Identifier: Apache-2.0
#include "lib/telemetry/metric_table.h"

#include <algorithm>
#include <array>

#include "lib/base/assert.h"

namespace segue::telemetry {
namespace {

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;

// clang-format off
constexpr std::array kTable = std::to_array<MetricDescription>({
    {"segue_build_info", kGauge, "version", "", "Version of the program; the value is 1."},
    {"segue_up_state", kGauge, "state", "", "1 for the state that the program is in, 0 for the others."},
    {"segue_replay_bytes", kGauge, "", "bytes", "Size of the logs on disk; absent until they are open."},
    {"segue_replay_consumed_bytes", kGauge, "", "bytes", "How much of them was read; after a restart it begins where reading begins."},
    {"segue_events_consumed_total", kCounter, "", "events", "Records taken from the log: applied, discarded or dead letters."},
    {"segue_events_applied_total", kCounter, "type", "events", "Events that changed a profile."},
    {"segue_events_discarded_total", kCounter, "reason", "events", "Good events that were not applied: duplicates, and events of erased users."},
    {"segue_dlq_records_total", kCounter, "reason", "records", "Records that could not be used and became dead letters."},
    {"segue_replayed_events_total", kCounter, "", "events", "Events applied again after a restart, up to the last commit; counted nowhere else."},
    {"segue_outputs_total", kCounter, "", "outputs", "Transitions, changes of segments and tags, and erasures that were committed."},
    {"segue_transitions_total", kCounter, "move,from,to", "transitions", "Lifecycle moves."},
    {"segue_profiles", kGauge, "segment", "profiles", "Users in each stage of the lifecycle."},
    {"segue_timers_pending", kGauge, "", "timers", "Users with a deadline ahead."},
    {"segue_timers_fired_total", kCounter, "", "timers", "Deadlines that came due."},
    {"segue_watermark_timestamp_seconds", kGauge, "shard", "seconds", "A shard's clock as a Unix time; absent before its first event."},
    {"segue_commits_total", kCounter, "", "commits", "Commits: outputs, dead letters and journal record made durable together."},
    {"segue_committed_bytes_total", kCounter, "", "bytes", "Bytes of outputs and dead letters that were committed."},
    {"segue_checkpoints_total", kCounter, "", "checkpoints", "Checkpoints that were installed."},
    {"segue_checkpoint_pages_total", kCounter, "", "pages", "Pages written by checkpoints."},
    {"segue_profile_cache_profiles", kGauge, "", "profiles", "Decoded profiles in memory."},
    {"segue_profile_cache_dirty_profiles", kGauge, "", "profiles", "Of these, changed since the last checkpoint began."},
    {"segue_profile_cache_misses_total", kCounter, "", "profiles", "Profiles that had to be read from the store."},
    {"segue_user_table_bytes", kGauge, "", "bytes", "Memory of the map of users and their timers."},
    {"process_cpu_seconds_total", kCounter, "", "seconds", "CPU time of the process, user and system."},
    {"process_resident_memory_bytes", kGauge, "", "bytes", "Resident memory."},
    {"process_virtual_memory_bytes", kGauge, "", "bytes", "Virtual memory."},
    {"process_open_fds", kGauge, "", "files", "Open file descriptors."},
    {"process_max_fds", kGauge, "", "files", "Limit of open file descriptors; absent where there is none."},
    {"process_start_time_seconds", kGauge, "", "seconds", "When the process started, as a Unix time."},
});
// clang-format on

constexpr std::string_view type_name(MetricType type) { return type == kCounter ? "counter" : "gauge"; }

}  // namespace

std::span<const MetricDescription> metric_table() { return kTable; }

size_t metric_index(std::string_view name) {
  const auto found = std::find_if(kTable.begin(), kTable.end(), [&](const MetricDescription& metric) { return metric.name == name; });
  SEGUE_ASSERT(found != kTable.end());
  return static_cast<size_t>(found - kTable.begin());
}

std::vector<std::string_view> label_names(const MetricDescription& metric) {
  std::vector<std::string_view> names;
  for (std::string_view rest = metric.labels; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    names.push_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return names;
}

std::string metric_table_as_markdown() {
  std::string out = R"(# Metrics

`segue replay --metrics ADDRESS:PORT` serves these at `/metrics` in the Prometheus text format while the replay runs, with `/livez` and `/readyz`
beside them. Generated from lib/telemetry/metric_table.cpp by the unit test of the same name (run it with SEGUE_UPDATE_DOCS=1); do not edit.

Counters start at 0 with the process. What was replayed after a restart is counted in segue_replayed_events_total alone. Labels come from closed
sets, and every series of a set is there from the start. A value that is not known is absent.

Between two batches `segue_events_consumed_total` is the sum of applied, discarded and dead-letter records; and for every stage the transitions to
it less those from it, and the users who are new to the first stage, make the change of `segue_profiles` (erased users leave without a transition).

| name | type | labels | unit | meaning |
|---|---|---|---|---|
)";
  for (const MetricDescription& metric : kTable) {
    out.append("| ").append(metric.name).append(" | ").append(type_name(metric.type)).append(" | ");
    out.append(metric.labels.empty() ? "-" : metric.labels).append(" | ").append(metric.unit.empty() ? "-" : metric.unit).append(" | ");
    out.append(metric.help).append(" |\n");
  }
  out += R"(
| label | values |
|---|---|
| state | starting, restoring, running, draining, done, failed |
| type | the event types of the canonical event |
| reason | of discarded events: duplicate, erased; of dead letters: the reject reasons |
| move, from, to, segment | the moves and stages of the definitions in force |
| shard | `shard-0`, `shard-1`, … |
)";
  return out;
}

}  // namespace segue::telemetry
