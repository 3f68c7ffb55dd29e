// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/progress_metrics.h"

#include <vector>

namespace segue::serving {
namespace {

using pipeline::Progress;
using telemetry::MetricPage;

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

void add_progress_metrics(MetricPage& page, std::span<const std::shared_ptr<const Progress>> shards, const segment::Definitions* definitions) {
  const Shards all(shards.begin(), shards.end());
  const Sums sums(all);
  add_events(page, sums);
  if (definitions != nullptr) add_lifecycle(page, all, *definitions);
  add_state(page, sums);
}

}  // namespace segue::serving
