// SPDX-License-Identifier: Apache-2.0
// ShardPipeline: commits and checkpoints.
#include <algorithm>

#include "lib/base/assert.h"
#include "lib/base/hash.h"
#include "lib/pipeline/shard_pipeline.h"
#include "lib/pipeline/version.h"

namespace segue::pipeline {
namespace {

// A checkpoint is encoded over this many batches, more dirty pages making larger slices.
constexpr size_t kSlices = 64;

codec::OutputMark make_mark(size_t count, std::string_view bytes, const codec::OutputMark& before) {
  return {count, bytes.empty() ? 0 : hash64(bytes), before.length + bytes.size()};
}

}  // namespace

// ---- commit

bool ShardPipeline::has_uncommitted() const {
  return shard_ && (position_ != last_.next || shard_->high() != last_.high || sweep_ != last_.sweep || cut_timers() != last_.timers ||
                    !activated_text_.empty() || !next_.outputs.empty());
}

// As JournalRecord::timers.
uint64_t ShardPipeline::cut_timers() const { return shard_->cut() ? shard_->totals().timers : 0; }

// Bounds what waits while a commit is in flight, and the pages that wait for a checkpoint.
bool ShardPipeline::has_room() const {
  if (replaying()) return !(shard_->cache().freezing() && shard_->cache().dirty() >= options_.dirty_profiles);
  if (in_flight_ && commit_is_full()) return false;
  return shard_->cache().dirty() < options_.dirty_profiles;
}

bool ShardPipeline::commit_is_full() const {
  return events_since_commit_ >= options_.commit_events || next_.outputs.count() >= options_.commit_outputs ||
         next_.outputs.bytes() >= options_.commit_bytes || shard_->cache().dirty() >= options_.dirty_profiles;
}

bool ShardPipeline::commit_is_due() const {
  if (!has_uncommitted()) return false;  // at the dirty limit a slow checkpoint is waited for, with nothing to tell
  if (clock_stepped_ || commit_is_full() || (checkpoint_is_due() && !shard_->cache().freezing())) return true;
  if (options_.commit_outputs_at_once) return !next_.outputs.empty();
  // The first commit comes soon: after a restart somebody waits for news.
  return commits_made_ == 0 && events_since_commit_ >= options_.commit_events / 10;
}

Result<> ShardPipeline::submit() {
  SEGUE_ASSERT(!in_flight_ && commits_ != nullptr);
  const Outputs& outputs = next_.outputs;
  codec::JournalRecord& record = next_.record;
  record = {};
  record.sequence = last_.sequence + 1;
  record.previous = record.sequence == 1 ? genesis_.position : last_.next;
  record.next = position_;
  record.high = shard_->high();
  record.transitions = make_mark(outputs.transitions.size(), outputs.transition_lines, last_.transitions);
  record.dead_letters = make_mark(outputs.dead_letters.size(), outputs.dead_letter_lines, last_.dead_letters);
  record.definitions = definitions_->hash();
  record.program = kProgramVersion;
  record.wall_clock = clock_stepped_;
  record.sweep = sweep_;
  record.timers = cut_timers();
  record.definitions_text = record.sequence == 1 ? definitions_->text() : activated_text_;
  if (record.sequence == 1) record.erasure_key.assign(genesis_.erasure_key.begin(), genesis_.erasure_key.end());
  codec::JournalRecord submitted = record;
  submitted.definitions_text.clear();
  const uint64_t bytes = outputs.bytes();
  const uint64_t transitions = outputs.transitions.size();
  SEGUE_TRY(commits_->submit(next_));
  last_ = std::move(submitted);
  in_flight_ = true;
  ++commits_made_;
  progress_->commits.fetch_add(1, std::memory_order_relaxed);
  progress_->transitions.fetch_add(transitions, std::memory_order_relaxed);
  progress_->committed_bytes.fetch_add(bytes, std::memory_order_relaxed);
  forget_outputs();
  return look_at_commit();
}

Result<> ShardPipeline::look_at_commit() {
  if (!in_flight_) return {};
  const auto settled = commits_->settled();
  if (!settled) return tl::unexpected<Error>(settled.error());
  if (!*settled) return {};
  in_flight_ = false;
  settled_ = last_.sequence;
  last_place_ = commits_->journal_hint();
  return {};
}

void ShardPipeline::forget_outputs() {
  next_.outputs.clear();
  activated_text_.clear();
  clock_stepped_ = false;
  events_since_commit_ = 0;
}

Result<> ShardPipeline::flush() {
  SEGUE_TRY(look_at_commit());
  if (commits_ == nullptr || replaying() || in_flight_ || !has_uncommitted()) return {};
  return submit();
}

Result<> ShardPipeline::poll() {
  SEGUE_TRY(look_at_commit());
  if (!started()) return {};
  if (commits_ != nullptr && !replaying() && commit_is_due() && !in_flight_) SEGUE_TRY(submit());
  SEGUE_TRY(checkpoint_if_due());
  SEGUE_TRY(advance_checkpoint(false));
  note_progress();
  return {};
}

Result<> ShardPipeline::make_room() {
  if (commits_ != nullptr && in_flight_) {
    SEGUE_TRY(commits_->wait());
    SEGUE_TRY(look_at_commit());
  }
  if (commits_ != nullptr && !replaying() && commit_is_due() && !in_flight_) SEGUE_TRY(submit());
  SEGUE_TRY(checkpoint_if_due());
  if (shard_->cache().dirty() < options_.dirty_profiles) return {};
  SEGUE_TRY(advance_checkpoint(true));
  return checkpoint_if_due();
}

// ---- checkpoint

bool ShardPipeline::checkpoint_is_due() const {
  return checkpoint_requested_ || events_since_checkpoint_ >= options_.checkpoint_events || shard_->cache().dirty() >= options_.dirty_profiles;
}

Result<> ShardPipeline::checkpoint_if_due() {
  if (!checkpoint_is_due()) return {};
  // Only right behind a commit: what is frozen is what its record describes.
  if (shard_->cache().freezing() || has_uncommitted()) return {};
  freeze();
  return {};
}

// Requires that everything applied is submitted. The checkpoint is installed once that is settled: S <= C.
void ShardPipeline::freeze() {
  SEGUE_ASSERT(!has_uncommitted());
  shard_->cache().freeze();
  shard_->audiences().freeze();
  // Removals first: the page of a user who was erased and came back is put later, and the later call wins.
  for (const shard::Shard::Removal& removal : shard_->take_removals()) {
    const shard::Erased& erased = shard_->erased(removal.keyed_id);
    codec::make_page_key(removal.user_id, key_);
    store_.remove(key_);
    codec::make_erased_key(removal.keyed_id, key_);
    page_.clear();
    codec::encode({erased.until, erased.outputs}, page_);
    store_.put(key_, page_);
  }
  codec::ShardMeta meta;
  meta.position = position_;
  meta.sequence = last_.sequence;
  const shard::ShardState state = shard_->state();
  meta.high = state.high;
  meta.next_user_number = state.next_number;
  meta.totals = state.totals;
  meta.rejects = rejects_;
  meta.definitions = definitions_->hash();
  meta.program = kProgramVersion;
  meta.journal_hint = last_place_;
  meta.sweep = sweep_;
  meta.has_audiences = true;
  page_.clear();
  codec::encode(meta, page_);
  store_.put(codec::kMetaKey, page_);
  store_.put(codec::kDefinitionsKey, definitions_->text());
  store_.put(codec::kErasureKeyKey, {reinterpret_cast<const char*>(genesis_.erasure_key.data()), genesis_.erasure_key.size()});
  checkpointed_ = last_.sequence;
  events_since_checkpoint_ = 0;
  checkpoint_requested_ = false;
}

Result<> ShardPipeline::advance_checkpoint(bool wait) {
  if (!shard_->cache().freezing()) return {};
  if (!sealed_) {
    const size_t slice = wait ? SIZE_MAX : std::max(options_.slice_profiles, shard_->cache().frozen() / kSlices);
    const bool kept = shard_->cache().keep_slice(slice, keep_);
    SEGUE_TRY(shaped_);
    if (!kept) return {};
    if (!shard_->audiences().keep_slice(wait ? SIZE_MAX : options_.slice_audiences, keep_audiences_)) return {};
    store_.seal();
    sealed_ = true;
  }
  if (settled_ < checkpointed_) {
    if (!wait) return {};
    SEGUE_TRY(commits_->wait());
    SEGUE_TRY(look_at_commit());
  }
  if (!wait) {
    const auto written = store_.written();
    if (!written) return sealed_ = false, tl::unexpected<Error>(written.error());
    if (!*written) return {};
  }
  // After an error the store keeps the collection: it is sealed again next time.
  sealed_ = false;
  SEGUE_TRY(store_.install());
  shard_->cache().installed();
  progress_->checkpoints.fetch_add(1, std::memory_order_relaxed);
  return {};
}

// ---- progress

void ShardPipeline::show(std::shared_ptr<Progress> progress) {
  progress_ = std::move(progress);
  published_progress_.store(progress_);
}

void ShardPipeline::note_progress() {
  const auto set = [](auto& gauge, auto value) { gauge.store(value, std::memory_order_relaxed); };
  set(progress_->clock_ms, shard_->clock() == kNoTime ? int64_t{0} : to_ms(shard_->clock()));
  set(progress_->users, shard_->users());
  set(progress_->cached_profiles, shard_->cache().size());
  set(progress_->dirty_profiles, shard_->cache().dirty());
  set(progress_->timers, shard_->timers_pending());
  set(progress_->memory_bytes, shard_->memory_bytes());
  for (size_t i = 0; i < progress_->population.size(); ++i) set(progress_->population[i], shard_->population()[i]);
  set(progress_->sequence, settled_);
  set(progress_->position, position_.offset);
  set(progress_->sweep_left, sweeping() ? shard_->next_number() - sweep_ : 0);
  if (replaying()) return;
  const shard::Totals& totals = shard_->totals();
  set(progress_->duplicates, totals.duplicates - counted_from_.duplicates);
  set(progress_->erased, totals.erased - counted_from_.erased);
  set(progress_->timers_fired, totals.timers - counted_from_.timers);
  for (size_t i = 0; i < event::kEventTypes; ++i) set(progress_->applied[i], totals.applied[i] - counted_from_.applied[i]);
  for (size_t i = 0; i < progress_->moves.size(); ++i) set(progress_->moves[i], totals.moves[i] - counted_from_.moves[i]);
}

}  // namespace segue::pipeline
