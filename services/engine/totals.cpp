// SPDX-License-Identifier: Apache-2.0
#include "services/engine/totals.h"

namespace segue::engine {

void Counted::add(const pipeline::Progress& progress) {
  const auto take = [](uint64_t& to, const pipeline::Progress::Count& from) { to += from.load(std::memory_order_relaxed); };
  take(records, progress.records);
  take(replayed, progress.replayed);
  for (size_t i = 0; i < rejects.size(); ++i) take(rejects[i], progress.rejects[i]);
  for (size_t i = 0; i < applied.size(); ++i) take(applied[i], progress.applied[i]);
  take(duplicates, progress.duplicates);
  take(erased, progress.erased);
  take(timers_fired, progress.timers_fired);
  take(outputs, progress.transitions);
  take(commits, progress.commits);
  take(committed_bytes, progress.committed_bytes);
  take(checkpoints, progress.checkpoints);
  take(checkpoint_pages, progress.checkpoint_pages);
  take(cache_misses, progress.cache_misses);
  const segment::Definitions& definitions = *progress.definitions;
  for (size_t i = 0; i < definitions.moves().size(); ++i) {
    const segment::Move& move = definitions.moves()[i];
    take(moves[{move.name, definitions.stage_name(move.from), definitions.stage_name(move.to)}], progress.moves[i]);
  }
}

void Counted::add(const kafka::CommitStatus& commit_status) {
  aborted += commit_status.aborted;
  recycled += commit_status.recycled;
  found_in_journal += commit_status.found_in_journal;
  without_offsets += commit_status.without_offsets;
  commit_seconds += commit_status.duration_sum_seconds;
  for (size_t i = 0; i < commit_buckets.size(); ++i) commit_buckets[i] += commit_status.duration_buckets[i];
}

void Counted::add(const Counted& other) {
  for (uint64_t Counted::*count :
       {&Counted::records, &Counted::replayed, &Counted::duplicates, &Counted::erased, &Counted::timers_fired, &Counted::outputs, &Counted::commits,
        &Counted::committed_bytes, &Counted::checkpoints, &Counted::checkpoint_pages, &Counted::cache_misses, &Counted::aborted, &Counted::recycled,
        &Counted::found_in_journal, &Counted::without_offsets})
    this->*count += other.*count;
  commit_seconds += other.commit_seconds;
  for (size_t i = 0; i < rejects.size(); ++i) rejects[i] += other.rejects[i];
  for (size_t i = 0; i < applied.size(); ++i) applied[i] += other.applied[i];
  for (size_t i = 0; i < commit_buckets.size(); ++i) commit_buckets[i] += other.commit_buckets[i];
  for (const auto& [move, count] : other.moves) moves[move] += count;
}

Counted Totals::collect(const std::vector<std::shared_ptr<PartitionView>>& views) {
  const std::lock_guard lock(mutex_);
  Counted present;
  for (const auto& view : views) {
    // What has ended first: what ends in between is seen twice rather than lost, and once from the next time on.
    for (const EndedLife& ended : view->take_ended()) {
      if (ended.progress) ended_.add(*ended.progress);
      ended_.add(ended.commits);
    }
    const PartitionStatus status = view->status();
    if (status.progress) present.add(*status.progress);
    present.add(status.commits);
  }
  Counted sum = ended_;
  sum.add(present);
  return sum;
}

}  // namespace segue::engine
