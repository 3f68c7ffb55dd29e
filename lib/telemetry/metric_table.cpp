// SPDX-License-Identifier: Apache-2.0
#include "lib/telemetry/metric_table.h"

#include <algorithm>
#include <iterator>

#include "lib/base/assert.h"

namespace segue::telemetry {
namespace {

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;
constexpr auto kHistogram = MetricType::kHistogram;

// clang-format off
constexpr MetricDescription kTable[] = {
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
    {"segue_partition_state", kGauge, "partition,state", "", "1 for the state that a partition of this process is in, 0 for the others."},
    {"segue_assigned_partitions", kGauge, "", "partitions", "Partitions that this process owns; those it only follows are not among them."},
    {"segue_rebalances_total", kCounter, "", "rebalances", "Times that the group took partitions away or gave some."},
    {"segue_input_unread_partitions", kGauge, "", "partitions", "Partitions that the input got after the start; nobody reads them."},
    {"segue_consumer_lag_records", kGauge, "partition", "records", "Offsets from a shard's position to the log's end, asked every 5 s."},
    {"segue_consumer_lag_seconds", kGauge, "partition", "seconds", "Age of the oldest record that no durable commit has."},
    {"segue_clock_lag_seconds", kGauge, "partition", "seconds", "How far a shard's clock is behind the wall clock; absent before its first event."},
    {"segue_clock_jump_seconds", kGauge, "", "seconds", "How far the host's clock has jumped ahead; 0 while it is followed."},
    {"segue_timer_lag_seconds", kGauge, "partition", "seconds", "How long the oldest timer is overdue by the wall clock."},
    {"segue_queued_chunks", kGauge, "partition", "chunks", "Polled stretches of the log that wait for room; at 4 fetching is paused."},
    {"segue_commit_duration_seconds", kHistogram, "", "seconds", "From a commit's submission until it is durable."},
    {"segue_commit_in_flight_seconds", kGauge, "partition", "seconds", "How long the present commit has been waiting; 0: none."},
    {"segue_commits_aborted_total", kCounter, "", "commits", "Transactions that were given up and sent again."},
    {"segue_commits_recycled_total", kCounter, "", "commits", "Producers thrown away because a commit of theirs was in doubt."},
    {"segue_commits_found_total", kCounter, "", "commits", "Of the doubtful commits those that the journal had."},
    {"segue_commits_without_offsets_total", kCounter, "", "commits", "Commits that could not tell the group its offset; the journal has it."},
    {"segue_replay_remaining_records", kGauge, "partition", "records", "Offsets still to be taken again, up to the journal's end."},
    {"segue_replay_mismatches_total", kCounter, "", "commits", "Replayed commits whose outputs differed from the journal."},
    {"segue_damaged_states_total", kCounter, "", "states", "State directories that were damaged and put aside."},
    {"segue_checkpoint_last_timestamp_seconds", kGauge, "partition", "seconds", "When the last checkpoint was installed, as a Unix time."},
    {"segue_checkpoint_last_duration_seconds", kGauge, "partition", "seconds", "How long it took, from its freezing to its installation."},
    {"segue_snapshot_last_timestamp_seconds", kGauge, "partition", "seconds", "When the last snapshot was made here, as a Unix time."},
    {"segue_snapshot_last_duration_seconds", kGauge, "partition", "seconds", "How long it took."},
    {"segue_snapshots_total", kCounter, "result", "snapshots", "Snapshots by how they went."},
    {"segue_sweep_remaining_users", kGauge, "partition", "users", "Users whom new definitions have still to be evaluated for."},
    {"segue_block_cache_hits_total", kCounter, "partition", "blocks", "Blocks of RocksDB found in memory, since the state was opened."},
    {"segue_block_cache_misses_total", kCounter, "partition", "blocks", "Blocks read from disk, since the state was opened."},
    {"segue_block_cache_bytes", kGauge, "", "bytes", "Size of the block cache, which all shards share."},
    {"segue_rocksdb_live_bytes", kGauge, "partition", "bytes", "Size of the state on disk."},
    {"segue_rocksdb_table_reader_bytes", kGauge, "partition", "bytes", "Indexes and filters in memory."},
    {"segue_rocksdb_pending_compaction_bytes", kGauge, "partition", "bytes", "What compaction has still to do."},
    {"segue_rocksdb_unmerged_files", kGauge, "partition", "files", "Checkpoints that are not merged yet."},
    {"segue_rocksdb_written_bytes_total", kCounter, "partition", "bytes", "Written by checkpoints and compaction since the state was opened."},
    {"segue_rocksdb_background_errors_total", kCounter, "partition", "errors", "Failures of RocksDB's background work since the state was opened."},
    {"segue_rocksdb_stalled", kGauge, "partition", "", "1 while a checkpoint waits for compaction."},
    {"segue_config_last_reload_successful", kGauge, "", "", "1 when all that the last reload read was right, or none was made."},
    {"segue_config_last_reload_success_timestamp_seconds", kGauge, "", "seconds", "When all that a reload reads was last right, as a Unix time."},
    {"segue_http_requests_total", kCounter, "route,method,code", "requests", "Answers of collector and API by status code."},
    {"segue_http_request_duration_seconds", kHistogram, "route", "seconds", "From the whole request to its answer, or to the start of its stream."},
    {"segue_http_connections", kGauge, "", "connections", "Open connections to collector and API."},
    {"segue_collector_events_total", kCounter, "type", "events", "Events that the collector answered for: they are safe in the log."},
    {"segue_collector_skipped_total", kCounter, "reason", "calls", "Tracking calls that became no event."},
    {"segue_collector_rejected_total", kCounter, "reason", "events", "Canonical events that could not be used."},
    {"segue_collector_properties_ignored_total", kCounter, "", "properties", "Properties and traits of tracking calls that were of no use."},
    {"segue_collector_refused_total", kCounter, "", "events", "Events that were answered with 429 or 503: they have to come again."},
    {"segue_collector_waiting_bytes", kGauge, "", "bytes", "Events that wait to be safe."},
    {"segue_collector_syncs_total", kCounter, "", "syncs", "Rounds of writing and syncing the embedded log."},
    {"segue_collector_log_bytes_total", kCounter, "", "bytes", "Bytes of events that became safe."},
    {"segue_collector_log_errors_total", kCounter, "", "errors", "Files or records that the log did not take."},
    {"process_cpu_seconds_total", kCounter, "", "seconds", "CPU time of the process, user and system."},
    {"process_resident_memory_bytes", kGauge, "", "bytes", "Resident memory."},
    {"process_virtual_memory_bytes", kGauge, "", "bytes", "Virtual memory."}, {"process_open_fds", kGauge, "", "files", "Open file descriptors."},
    {"process_max_fds", kGauge, "", "files", "Limit of open file descriptors; absent where there is none."},
    {"process_start_time_seconds", kGauge, "", "seconds", "When the process started, as a Unix time."},
};
// clang-format on

constexpr std::string_view type_name(MetricType type) { return type == kCounter ? "counter" : type == kGauge ? "gauge" : "histogram"; }

}  // namespace

std::span<const MetricDescription> metric_table() { return kTable; }

size_t metric_index(std::string_view name) {
  const auto found = std::find_if(std::begin(kTable), std::end(kTable), [&](const MetricDescription& metric) { return metric.name == name; });
  SEGUE_ASSERT(found != std::end(kTable));
  return static_cast<size_t>(found - std::begin(kTable));
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

`segue engine` and `segue up` serve these at `/metrics` of `http.listen`, and `segue replay --metrics ADDRESS:PORT` those that it has while the
replay runs, in the Prometheus text format, with `/livez` and `/readyz` beside them. Generated from lib/telemetry/metric_table.cpp by the unit test of
the same name (run it with SEGUE_UPDATE_DOCS=1); do not edit.

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
| state | of the program: starting, restoring, running, draining, done, failed |
| state | of a partition: restoring, replaying, running, paused, stopped, following |
| partition | numbers of the input's partitions |
| result | ok, failed |
| type | the event types of the canonical event |
| reason | of discarded events: duplicate, erased; of dead letters: the reject reasons |
| route | templates of paths, such as `/v1/profiles/{user_id}`; none: no such path |
| method | HTTP's methods; other |
| code | status codes; all but 200 appear with their first answer |
| move, from, to, segment | the moves and stages of the definitions in force |
| shard | `shard-0`, `shard-1`, …; the number is the partition's |
)";
  return out;
}

}  // namespace segue::telemetry
