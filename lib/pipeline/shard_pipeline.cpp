// SPDX-License-Identifier: Apache-2.0
#include "lib/pipeline/shard_pipeline.h"

#include <algorithm>

#include "lib/base/assert.h"
#include "lib/codec/page_codec.h"

namespace segue::pipeline {

ShardPipeline::ShardPipeline(Options options, Genesis genesis, Store& store)
    : options_(std::move(options)),
      genesis_(std::move(genesis)),
      store_(store),
      wanted_(genesis_.definitions),
      keep_([this](shard::UserNumber user, const profile::Profile& profile) {
        page_.clear();
        codec::encode_page(profile, user, definitions_->plan(), page_);
        codec::make_page_key(shard_->user_id(user), key_);
        store_.put(key_, page_);
        progress_->checkpoint_pages.fetch_add(1, std::memory_order_relaxed);
      }),
      keep_audiences_([this](const audience::SetName& set, uint16_t chunk, std::string_view bytes) {
        codec::make_audience_key(set, chunk, key_);
        bytes.empty() ? store_.remove(key_) : store_.put(key_, bytes);
      }) {
  show(std::make_shared<Progress>(genesis_.definitions));
}

// The order of the stages: new definitions and their sweep come first; then batches of our steps are applied with their profiles in memory, the
// outputs and dead letters up to there are collected, then committed (or, while replaying, compared with the journal), and a checkpoint moves on.
Result<bool> ShardPipeline::take(const DecodedChunk& chunk) {
  Cursor cursor = find(chunk);
  begin_call();
  for (;;) {
    const auto timers = finish_timers();
    if (!timers || !*timers) return timers;
    const auto done = take_other_steps();
    if (!done) return tl::unexpected<Error>(done.error());
    if (!*done) return false;
    if (at_end(chunk)) return true;
    if (clock_stepped_ || !has_room() || (commits_ == nullptr && !replaying()) || give_way()) return false;
    SEGUE_TRY(run_batch(chunk, cursor, end_of_stretch(chunk)));
    tell_rejects(chunk, cursor);
    SEGUE_TRY(after_batch());
  }
}

Result<> ShardPipeline::take_all(const DecodedChunk& chunk) {
  for (;;) {
    const auto taken = take(chunk);
    if (!taken) return tl::unexpected<Error>(taken.error());
    if (*taken) return {};
    SEGUE_TRY(make_room());
  }
}

// A commit that is being replayed may end with steps that need no more of the log.
bool ShardPipeline::at_end(const DecodedChunk& chunk) const {
  if (position_ < chunk.end) return false;
  return !(!pending_.empty() && pending_.front().record.next == position_ && position_ == chunk.end);
}

Result<> ShardPipeline::after_batch() {
  SEGUE_TRY(shaped_);
  if (!replaying()) {
    SEGUE_TRY(look_at_commit());
    if (commit_is_due() && !in_flight_) SEGUE_TRY(submit());
  } else {
    SEGUE_TRY(check_end_of_replayed());
  }
  SEGUE_TRY(checkpoint_if_due());
  SEGUE_TRY(advance_checkpoint(false));
  note_progress();
  ++call_batches_;
  if (look_) look_();
  return {};
}

ShardPipeline::Cursor ShardPipeline::find(const DecodedChunk& chunk) const {
  const auto& share = chunk.shares[options_.share];
  const auto next = std::partition_point(share.begin(), share.end(), [&](uint32_t i) { return chunk.records[i].at < position_; });
  const auto reject = std::partition_point(chunk.rejects.begin(), chunk.rejects.end(), [&](const auto& r) { return r.at < position_; });
  return {static_cast<size_t>(next - share.begin()), static_cast<size_t>(reject - chunk.rejects.begin())};
}

// A stretch ends where the chunk does, or where a commit that is being replayed did: batches stop there.
Position ShardPipeline::end_of_stretch(const DecodedChunk& chunk) const {
  return replaying() ? std::min(chunk.end, pending_.front().record.next) : chunk.end;
}

Result<> ShardPipeline::run_batch(const DecodedChunk& chunk, Cursor& cursor, Position stretch_end) {
  const auto& share = chunk.shares[options_.share];
  Time high = shard_->high();
  steps_.clear();
  size_t next = cursor.next;
  for (; next < share.size() && steps_.size() < options_.batch_events && chunk.records[share[next]].at < stretch_end; ++next) {
    const DecodedChunk::Record& record = chunk.records[share[next]];
    high = std::max(high, record.high);
    steps_.push_back({&record.event, high});
  }
  const bool whole = next == share.size() || !(chunk.records[share[next]].at < stretch_end);
  uint64_t most_timers = shard::Shard::kAllTimers;
  // Behind our last step the clock still follows the other shards' events, up to the place where the next life may begin to read.
  if (!whole) {
    high = std::max(high, chunk.records[share[next] - 1].high);
  } else if (replaying() && pending_.front().record.next == stretch_end) {
    high = pending_.front().record.high;
    if (const uint64_t timers = pending_.front().record.timers; timers > 0) most_timers = timers - std::min(timers, shard_->totals().timers);
  } else {
    high = std::max(high, chunk.high);
  }
  if (high < (steps_.empty() ? shard_->high() : steps_.back().high))
    return fail(ErrorClass::kData,
                "the log has later times before commit " + std::to_string(last_.sequence + 1) + " than the journal knows: it was changed");

  const size_t taken = shard_->begin(steps_, high, most_timers);
  SEGUE_TRY(load_wanted());
  shard_->run(*this, keep_);
  shard_->trim();

  cursor.next += taken;
  events_since_commit_ += taken;
  events_since_checkpoint_ += taken;
  (replaying() ? progress_->replayed : progress_->records).fetch_add(taken, std::memory_order_relaxed);
  if (shard_->only_timers()) return {};  // the steps stand where they stood
  if (shard_->high() < high) {
    position_ = reached(chunk, stretch_end);
  } else {
    position_ = whole ? stretch_end : chunk.records[share[cursor.next]].at;
  }
  return {};
}

// Where a batch that was cut between two timers stands: before the first record, whoever's, that moves the clock further.
Position ShardPipeline::reached(const DecodedChunk& chunk, Position stretch_end) const {
  const auto further = std::find_if(chunk.records.begin(), chunk.records.end(),
                                    [&](const auto& record) { return !(record.at < position_) && record.high > shard_->high(); });
  return further == chunk.records.end() ? stretch_end : std::min(further->at, stretch_end);
}

Result<> ShardPipeline::load_wanted() {
  const auto wanted = shard_->wanted();
  progress_->cache_misses.fetch_add(wanted.size(), std::memory_order_relaxed);
  if (wanted.empty()) return {};
  if (keys_.size() < wanted.size()) keys_.resize(wanted.size());
  key_views_.clear();
  for (size_t i = 0; i < wanted.size(); ++i) {
    codec::make_page_key(shard_->user_id(wanted[i]), keys_[i]);
    key_views_.push_back(keys_[i]);
  }
  Result<> decoded;
  SEGUE_TRY(store_.load(key_views_, [&](size_t i, std::optional<std::string_view> page) {
    if (!decoded) return;
    decoded = page ? codec::decode_page(*page, definitions_->plan(), shard_->supply(wanted[i]))
                   : Result<>(fail(ErrorClass::kData, "the page of a known user is missing"));
  }));
  return decoded;
}

void ShardPipeline::take(const shard::Output& output) {
  Outputs& outputs = next_.outputs;
  writer_->append(output, outputs.transition_lines);
  outputs.user_ids.append(output.user_id);
  outputs.transitions.push_back({outputs.transition_lines.size(), outputs.user_ids.size(), output.n, output.at, codec::output_type(output)});
}

void ShardPipeline::tell_rejects(const DecodedChunk& chunk, Cursor& cursor) {
  for (; cursor.next_reject < chunk.rejects.size() && chunk.rejects[cursor.next_reject].at < position_; ++cursor.next_reject) {
    if (!options_.tells_rejects) continue;
    const DecodedChunk::Reject& reject = chunk.rejects[cursor.next_reject];
    Outputs& outputs = next_.outputs;
    codec::append_dead_letter(options_.partition, reject.at, reject.reason, reject.raw, outputs.dead_letter_lines);
    outputs.raw_records.append(reject.raw);
    outputs.raw_keys.append(reject.key);
    outputs.dead_letters.push_back(
        {outputs.dead_letter_lines.size(), outputs.raw_records.size(), outputs.raw_keys.size(), reject.at.offset, reject.reason});
    ++rejects_[static_cast<size_t>(reject.reason)];
    if (replaying()) continue;
    progress_->rejects[static_cast<size_t>(reject.reason)].fetch_add(1, std::memory_order_relaxed);
    progress_->records.fetch_add(1, std::memory_order_relaxed);
  }
}

// ---- the wall clock

// A commit that has a step of the wall clock ends with it: replay takes the events of a commit first (docs/formats/journal.md).
Result<bool> ShardPipeline::advance_clock(Time to) {
  SEGUE_ASSERT(started());
  begin_call();
  if (commits_ == nullptr || replaying() || sweeping()) return false;
  while (shard_->high() < to) {
    SEGUE_TRY(look_at_commit());
    if (!has_room() || give_way()) return false;
    SEGUE_TRY(run_timers(to, true));
  }
  return finish_timers();
}

// A batch without events.
Result<> ShardPipeline::run_timers(Time high, bool is_clock_step) {
  shard_->begin({}, high);
  SEGUE_TRY(load_wanted());
  shard_->run(*this, keep_);
  shard_->trim();
  clock_stepped_ = clock_stepped_ || is_clock_step;
  return after_batch();
}

// The rest of the timers of one moment, between two of which a batch or a commit ended, comes before everything else. False: it waits for room, or
// its turn.
Result<bool> ShardPipeline::finish_timers() {
  while (shard_ && shard_->cut() && commits_ != nullptr && !replaying()) {
    SEGUE_TRY(look_at_commit());
    if (!has_room() || give_way()) return false;
    SEGUE_TRY(run_timers(shard_->high(), false));
  }
  return true;
}

// ---- turns

void ShardPipeline::begin_call() {
  call_batches_ = 0;
  gave_way_ = false;
}

bool ShardPipeline::give_way() { return gave_way_ = call_batches_ >= options_.call_batches; }

Result<> ShardPipeline::finish() {
  if (replaying())
    return fail(ErrorClass::kData,
                "the log ends before commit " + std::to_string(last_.sequence + 1) + " of the journal: it was cut, or is another log");
  if (commits_ != nullptr) {
    SEGUE_TRY(commits_->wait());
    SEGUE_TRY(look_at_commit());
    if (has_uncommitted()) SEGUE_TRY(submit());
    SEGUE_TRY(commits_->wait());
    SEGUE_TRY(look_at_commit());
  }
  SEGUE_TRY(advance_checkpoint(true));
  if (events_since_checkpoint_ > 0 || shard_->cache().dirty() > 0 || last_.sequence > checkpointed_) {
    freeze();
    SEGUE_TRY(advance_checkpoint(true));
  }
  note_progress();
  return {};
}

}  // namespace segue::pipeline
