// SPDX-License-Identifier: Apache-2.0
// The body of /metrics: docs/metrics.md.
#include <algorithm>

#include "lib/pipeline/version.h"
#include "lib/telemetry/metric_page.h"
#include "services/engine/endpoints.h"

namespace segue::engine {
namespace {

using pipeline::Progress;
using telemetry::MetricPage;

double seconds(Time time) { return static_cast<double>(to_ms(time)) / 1000; }
template <class Length>
double seconds_of(Length length) {
  return std::chrono::duration<double>(length).count();
}
double number(uint64_t value) { return static_cast<double>(value); }

void add_counted(MetricPage& page, const Counted& counted) {
  page.add("segue_events_consumed_total", number(counted.records));
  for (size_t i = 0; i < event::kEventTypes; ++i) page.add("segue_events_applied_total", number(counted.applied[i]), {event::kEventTypeNames[i]});
  page.add("segue_events_discarded_total", number(counted.duplicates), {"duplicate"});
  page.add("segue_events_discarded_total", number(counted.erased), {"erased"});
  for (size_t i = 0; i < event::kRejectReasons; ++i) page.add("segue_dlq_records_total", number(counted.rejects[i]), {event::kRejectReasonNames[i]});
  page.add("segue_replayed_events_total", number(counted.replayed));
  page.add("segue_outputs_total", number(counted.outputs));
  for (const auto& [move, count] : counted.moves) page.add("segue_transitions_total", number(count), {move[0], move[1], move[2]});
  page.add("segue_timers_fired_total", number(counted.timers_fired));
  page.add("segue_commits_total", number(counted.commits));
  page.add("segue_committed_bytes_total", number(counted.committed_bytes));
  page.add("segue_commits_aborted_total", number(counted.aborted));
  page.add("segue_commits_recycled_total", number(counted.recycled));
  page.add("segue_commits_found_total", number(counted.found_in_journal));
  page.add("segue_commits_without_offsets_total", number(counted.without_offsets));
  page.add_histogram("segue_commit_duration_seconds", kafka::kCommitBucketSeconds, counted.commit_buckets, counted.commit_seconds);
  page.add("segue_checkpoints_total", number(counted.checkpoints));
  page.add("segue_checkpoint_pages_total", number(counted.checkpoint_pages));
  page.add("segue_profile_cache_misses_total", number(counted.cache_misses));
}

// Gauges over all shards.
void add_sums(MetricPage& page, const std::vector<PartitionStatus>& partitions) {
  uint64_t timers = 0, cached = 0, dirty = 0, memory = 0, cache_bytes = 0;
  std::map<std::string, uint64_t> population;
  for (const PartitionStatus& partition : partitions) {
    cache_bytes = std::max(cache_bytes, partition.store.block_cache_bytes);
    if (!partition.progress) continue;
    const Progress& progress = *partition.progress;
    timers += progress.timers, cached += progress.cached_profiles, dirty += progress.dirty_profiles, memory += progress.memory_bytes;
    for (size_t i = 0; i < progress.population.size(); ++i) population[progress.definitions->stage_name(i)] += progress.population[i];
  }
  page.add("segue_timers_pending", number(timers));
  page.add("segue_profile_cache_profiles", number(cached));
  page.add("segue_profile_cache_dirty_profiles", number(dirty));
  page.add("segue_user_table_bytes", number(memory));
  page.add("segue_block_cache_bytes", number(cache_bytes));
  for (const auto& [stage, users] : population) page.add("segue_profiles", number(users), {stage});
}

void add_progress(MetricPage& page, const PartitionStatus& status, std::string_view label, Time now) {
  const uint64_t position = status.position;
  if (status.high_watermark)
    page.add("segue_consumer_lag_records", number(*status.high_watermark - std::min(position, *status.high_watermark)), {label});
  const bool uncommitted = status.uncommitted_since != kNoTime;
  page.add("segue_consumer_lag_seconds", uncommitted ? std::max(0.0, seconds_of(now - status.uncommitted_since)) : 0, {label});
  if (status.high != kNoTime) {
    const Time clock = status.high - status.lateness;
    page.add("segue_watermark_timestamp_seconds", seconds(clock), {"shard-" + std::string(label)});
    page.add("segue_clock_lag_seconds", std::max(0.0, seconds_of(now - clock)), {label});
    const Time due = now - status.lateness;
    page.add("segue_timer_lag_seconds", status.next_timer < due ? seconds_of(due - status.next_timer) : 0, {label});
  }
  page.add("segue_queued_chunks", number(status.queued_chunks), {label});
  page.add("segue_commit_in_flight_seconds", seconds_of(status.commits.in_flight), {label});
  page.add("segue_replay_remaining_records", number(status.replay_end - std::min(position, status.replay_end)), {label});
  page.add("segue_sweep_remaining_users", status.progress ? number(status.progress->sweep_left) : 0, {label});
}

void add_store(MetricPage& page, const PartitionStatus& status, std::string_view label) {
  if (status.checkpoint_at != kNoTime) {
    page.add("segue_checkpoint_last_timestamp_seconds", seconds(status.checkpoint_at), {label});
    page.add("segue_checkpoint_last_duration_seconds", seconds_of(status.checkpoint_time), {label});
  }
  if (status.snapshot_at != kNoTime) {
    page.add("segue_snapshot_last_timestamp_seconds", seconds(status.snapshot_at), {label});
    page.add("segue_snapshot_last_duration_seconds", seconds_of(status.snapshot_time), {label});
  }
  const rocks::StoreStatistics& store = status.store;
  page.add("segue_block_cache_hits_total", number(store.block_cache_hits), {label});
  page.add("segue_block_cache_misses_total", number(store.block_cache_misses), {label});
  page.add("segue_rocksdb_live_bytes", number(store.live_sst_bytes), {label});
  page.add("segue_rocksdb_table_reader_bytes", number(store.table_reader_bytes), {label});
  page.add("segue_rocksdb_pending_compaction_bytes", number(store.pending_compaction_bytes), {label});
  page.add("segue_rocksdb_unmerged_files", number(store.level0_files), {label});
  page.add("segue_rocksdb_written_bytes_total", number(store.bytes_written), {label});
  page.add("segue_rocksdb_background_errors_total", number(store.background_errors), {label});
  page.add("segue_rocksdb_stalled", store.stalled ? 1 : 0, {label});
}

}  // namespace

std::string metrics_text(const EngineView& view, const Counted& counted, const telemetry::ReloadStatus& reload, const Context& context) {
  const Time now = wall_clock();
  MetricPage page;
  page.add("segue_build_info", 1, {pipeline::kProgramVersion});
  for (size_t i = 0; i < kEnginePhaseNames.size(); ++i)
    page.add("segue_up_state", i == static_cast<size_t>(view.phase) ? 1 : 0, {kEnginePhaseNames[i]});
  add_counted(page, counted);
  add_sums(page, view.partitions);
  size_t owned = 0;
  for (const PartitionStatus& status : view.partitions) {
    const std::string label = std::to_string(status.partition);
    if (status.state != PartitionState::kFollowing) ++owned;
    for (size_t i = 0; i < kPartitionStateNames.size(); ++i)
      page.add("segue_partition_state", i == static_cast<size_t>(status.state) ? 1 : 0, {label, kPartitionStateNames[i]});
    add_progress(page, status, label, now);
    add_store(page, status, label);
  }
  page.add("segue_assigned_partitions", number(owned));
  page.add("segue_rebalances_total", number(view.rebalances));
  page.add("segue_input_unread_partitions", number(context.counters.unread_partitions));
  page.add("segue_clock_jump_seconds", seconds_of(view.clock_jump));
  page.add("segue_replay_mismatches_total", number(context.counters.replay_mismatches));
  page.add("segue_damaged_states_total", number(context.counters.damaged_states));
  page.add("segue_snapshots_total", number(context.counters.snapshots_made), {"ok"});
  page.add("segue_snapshots_total", number(context.counters.snapshots_failed), {"failed"});
  reload.add_to(page);
  context.requests->add_to(page);
  telemetry::add_process_metrics(page);
  return page.text();
}

}  // namespace segue::engine
