// SPDX-License-Identifier: Apache-2.0
#include "services/live/endpoints.h"

#include <algorithm>

#include "lib/codec/json_writer.h"
#include "lib/pipeline/version.h"
#include "lib/serving/progress_metrics.h"

namespace segue::live {
namespace {

using telemetry::MetricPage;

double number(uint64_t value) { return static_cast<double>(value); }
double seconds_of(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }
double seconds(Time time) { return static_cast<double>(to_ms(time)) / 1000; }

void add_position(MetricPage& page, const ShardStatus& status, std::string_view label, Time now) {
  for (size_t i = 0; i < kShardStateNames.size(); ++i)
    page.add("segue_partition_state", i == static_cast<size_t>(status.state) ? 1 : 0, {label, kShardStateNames[i]});
  page.add("segue_partition_state", 0, {label, "following"});
  page.add("segue_consumer_lag_seconds", status.behind_since == kNoTime ? 0 : std::max(0.0, seconds_of(now - status.behind_since)), {label});
  if (status.high != kNoTime) {
    const Time clock = status.high - status.lateness;
    page.add("segue_watermark_timestamp_seconds", seconds(clock), {"shard-" + std::string(label)});
    page.add("segue_clock_lag_seconds", std::max(0.0, seconds_of(now - clock)), {label});
    const Time due = now - status.lateness;
    page.add("segue_timer_lag_seconds", status.next_timer < due ? seconds_of(due - status.next_timer) : 0, {label});
  }
  page.add("segue_commit_in_flight_seconds", seconds_of(status.commits.in_flight), {label});
  page.add("segue_sweep_remaining_users", status.progress ? number(status.progress->sweep_left) : 0, {label});
}

void add_store(MetricPage& page, const ShardStatus& status, std::string_view label) {
  if (status.checkpoint_at != kNoTime) {
    page.add("segue_checkpoint_last_timestamp_seconds", seconds(status.checkpoint_at), {label});
    page.add("segue_checkpoint_last_duration_seconds", seconds_of(status.checkpoint_time), {label});
  }
  page.add("segue_block_cache_hits_total", number(status.store.block_cache_hits), {label});
  page.add("segue_block_cache_misses_total", number(status.store.block_cache_misses), {label});
  page.add("segue_rocksdb_live_bytes", number(status.store.live_sst_bytes), {label});
  page.add("segue_rocksdb_table_reader_bytes", number(status.store.table_reader_bytes), {label});
  page.add("segue_rocksdb_pending_compaction_bytes", number(status.store.pending_compaction_bytes), {label});
  page.add("segue_rocksdb_unmerged_files", number(status.store.level0_files), {label});
  page.add("segue_rocksdb_written_bytes_total", number(status.store.bytes_written), {label});
  page.add("segue_rocksdb_background_errors_total", number(status.store.background_errors), {label});
  page.add("segue_rocksdb_stalled", status.store.stalled ? 1 : 0, {label});
}

}  // namespace

bool is_ready(const LiveView& view) {
  return view.phase == Phase::kRunning && view.log_trouble.empty() &&
         std::all_of(view.shards.begin(), view.shards.end(), [](const ShardStatus& shard) { return shard.state == ShardState::kRunning; });
}

std::string readiness_json(const LiveView& view) {
  std::string out;
  codec::JsonWriter json(out);
  json.begin_object();
  json.name("ready"), json.boolean(is_ready(view));
  json.name("instance"), json.string(view.instance);
  json.name("state"), json.string(kPhaseNames[static_cast<size_t>(view.phase)]);
  if (!view.log_trouble.empty()) json.name("log"), json.string("events cannot be written: " + view.log_trouble);
  json.name("partitions"), json.begin_array();
  for (const ShardStatus& shard : view.shards) {
    json.begin_object();
    json.name("partition"), json.integer(shard.partition);
    json.name("state"), json.string(name(shard.state));
    json.name("reason"), json.string(shard.reason);
    json.name("position"), json.integer(static_cast<int64_t>(shard.position));
    json.name("log_end"), json.integer(static_cast<int64_t>(shard.log_end));
    json.name("commit"), json.integer(static_cast<int64_t>(shard.commit));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

void add_live_metrics(MetricPage& page, const LiveView& view, Time now) {
  page.add("segue_build_info", 1, {pipeline::kProgramVersion});
  for (size_t i = 0; i < kPhaseNames.size(); ++i) page.add("segue_up_state", i == static_cast<size_t>(view.phase) ? 1 : 0, {kPhaseNames[i]});
  std::vector<std::shared_ptr<const pipeline::Progress>> progress;
  filelog::BackgroundCommits::Status commits;
  uint64_t cache_bytes = 0, log_bytes = 0, taken_bytes = 0;
  for (const ShardStatus& shard : view.shards) {
    if (shard.progress) progress.push_back(shard.progress);
    for (size_t i = 0; i < commits.duration_buckets.size(); ++i) commits.duration_buckets[i] += shard.commits.duration_buckets[i];
    commits.duration_sum_seconds += shard.commits.duration_sum_seconds;
    log_bytes += shard.log_end;
    taken_bytes += shard.position;
    cache_bytes = std::max(cache_bytes, shard.store.block_cache_bytes);
  }
  serving::add_progress_metrics(page, progress, view.definitions.get());
  page.add_histogram("segue_commit_duration_seconds", filelog::BackgroundCommits::kBucketSeconds, commits.duration_buckets,
                     commits.duration_sum_seconds);
  page.add("segue_replay_bytes", number(log_bytes));
  page.add("segue_replay_consumed_bytes", number(taken_bytes));
  page.add("segue_block_cache_bytes", number(cache_bytes));
  page.add("segue_assigned_partitions", number(view.shards.size()));
  for (const ShardStatus& shard : view.shards) {
    const std::string label = std::to_string(shard.partition);
    add_position(page, shard, label, now);
    add_store(page, shard, label);
  }
}

}  // namespace segue::live
