// SPDX-License-Identifier: Apache-2.0
#include "lib/pipeline/shard_pipeline.h"

#include <algorithm>

#include "lib/base/assert.h"
#include "lib/codec/page_codec.h"
#include "lib/pipeline/version.h"

namespace segue::pipeline {
namespace {

// A checkpoint is encoded over this many batches, more dirty pages making larger slices.
constexpr size_t kSlices = 64;

uint64_t checksum(std::string_view bytes) { return bytes.empty() ? 0 : hash64(bytes); }

}  // namespace

ShardPipeline::ShardPipeline(Options options, std::shared_ptr<const segment::Definitions> definitions, std::array<uint8_t, 16> erasure_key,
                             Store& store, CommitPort& commits)
    : options_(std::move(options)),
      definitions_(std::move(definitions)),
      store_(store),
      commits_(commits),
      writer_(*definitions_),
      shard_(definitions_, {.cache_profiles = options_.cache_profiles, .max_timers = options_.max_timers}, erasure_key),
      keep_([this](shard::UserNumber user, const profile::Profile& profile) {
        page_.clear();
        codec::encode_page(profile, user, definitions_->plan(), page_);
        codec::make_page_key(shard_.user_id(user), key_);
        store_.put(key_, page_);
        progress_.checkpoint_pages.fetch_add(1, std::memory_order_relaxed);
      }),
      progress_(definitions_->stages().size(), definitions_->moves().size()) {}

// ---- recovery

Result<> ShardPipeline::recover() {
  const std::string_view key = codec::kMetaKey;
  Result<> restored;
  SEGUE_TRY(store_.load({&key, 1}, [&](size_t, std::optional<std::string_view> value) {
    if (!value) return;
    const auto meta = codec::decode_shard_meta(*value);
    restored = meta ? restore_state(*meta) : Result<>(tl::unexpected<Error>(meta.error()));
  }));
  SEGUE_TRY(restored);
  SEGUE_TRY(restore_pages());
  SEGUE_TRY(read_journal());
  counted_from_ = shard_.totals();
  note_progress();
  return {};
}

// The checkpoint's own commit must be in the journal: a journal that ends before it was cut, and its outputs with it.
Result<> ShardPipeline::read_journal() {
  const uint64_t from = last_.sequence == 0 ? 0 : last_.sequence - 1;
  uint64_t expected = from + 1;
  SEGUE_TRY(commits_.for_each_since(from, [&](const codec::JournalRecord& record) -> Result<> {
    if (record.sequence != expected) return fail(ErrorClass::kData, "the journal lacks commit " + std::to_string(expected));
    ++expected;
    if (record.sequence > last_.sequence) {
      const codec::JournalRecord& before = pending_.empty() ? last_ : pending_.back();
      if (record.previous != before.next || record.next < before.next || record.high < before.high || record.definitions != definitions_->hash())
        return fail(ErrorClass::kData, "commit " + std::to_string(record.sequence) + " of the journal does not follow from the one before");
      pending_.push_back(record);
    } else if (record.next != last_.next || record.high != last_.high || record.definitions != definitions_->hash()) {
      return fail(ErrorClass::kData, "the checkpoint and the journal disagree about commit " + std::to_string(record.sequence));
    }
    return {};
  }));
  if (expected <= last_.sequence)
    return fail(ErrorClass::kData,
                "the checkpoint holds commit " + std::to_string(last_.sequence) + ", the journal ends before it: its end was lost");
  return {};
}

Result<> ShardPipeline::restore_state(const codec::ShardMeta& meta) {
  if (meta.definitions != definitions_->hash())
    return fail(ErrorClass::kUsage, "this state was made with definitions " + meta.definitions + ", not " + definitions_->hash() +
                                        "; replay into a new directory, or give the definitions that it was made with");
  const shard::Totals& own = shard_.totals();
  if (meta.totals.moves.size() != own.moves.size() || meta.totals.entered.size() != own.entered.size() ||
      meta.totals.left.size() != own.left.size() || meta.next_user_number >= shard::kMaxUsers)
    return fail(ErrorClass::kData, "the checkpoint's totals do not fit its definitions");
  shard_.restore({meta.high, meta.next_user_number, meta.totals});
  std::copy_n(meta.rejects.begin(), std::min(meta.rejects.size(), rejects_.size()), rejects_.begin());
  position_ = meta.position;
  last_.sequence = checkpointed_ = meta.sequence;
  last_.next = meta.position;
  last_.high = meta.high;
  return {};
}

Result<> ShardPipeline::restore_pages() {
  const profile::Plan& plan = definitions_->plan();
  SEGUE_TRY(store_.scan(codec::kPagePrefix, [&](std::string_view key, std::string_view page) -> Result<> {
    const auto header = codec::read_page_header(page);
    if (!header) return tl::unexpected<Error>(header.error());
    const auto stage =
        std::find_if(plan.stage_ids.begin(), plan.stage_ids.end(), [&](uint64_t id) { return codec::page_id(id) == header->stage_id; });
    if (stage == plan.stage_ids.end()) return fail(ErrorClass::kData, "a page has a stage that the definitions do not know");
    const auto id = codec::user_of_page_key(key);
    if (!id) return fail(ErrorClass::kData, "a page's key is malformed");
    if (header->user_number >= shard_.next_number() || !shard_.user_id(header->user_number).empty())
      return fail(ErrorClass::kData, "a page has a user number that is not given, or is another user's");
    if (header->deadline <= shard_.clock()) return fail(ErrorClass::kData, "a page has a deadline that should have fired");
    shard_.restore_user(*id, header->user_number, header->deadline, static_cast<uint8_t>(stage - plan.stage_ids.begin()));
    if (shard_.cache_has_room()) return codec::decode_page(page, plan, shard_.supply(header->user_number));
    return {};
  }));
  return store_.scan(codec::kErasedPrefix, [&](std::string_view key, std::string_view value) -> Result<> {
    const auto keyed = codec::hash_of_erased_key(key);
    if (!keyed) return fail(ErrorClass::kData, "an erased user's key is malformed");
    const auto erased = codec::decode_erased_user(value);
    if (!erased) return tl::unexpected<Error>(erased.error());
    shard_.restore_erased(*keyed, {erased->up_to, erased->outputs});
    return {};
  });
}

// ---- the way of a chunk

// The order of the stages: a batch of our steps is applied with its profiles in memory, the outputs and dead letters up to there are collected,
// then committed (or, while replaying, compared with the journal), and a checkpoint moves on by one slice.
Result<> ShardPipeline::take(const DecodedChunk& chunk) {
  Cursor cursor = find(chunk);
  while (position_ < chunk.end || (replaying() && pending_.front().next == position_ && position_ == chunk.end)) {
    SEGUE_TRY(run_batch(chunk, cursor, end_of_stretch(chunk)));
    tell_rejects(chunk, cursor);
    SEGUE_TRY(settle());
    SEGUE_TRY(advance_checkpoint(false));
    note_progress();
  }
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
  return replaying() ? std::min(chunk.end, pending_.front().next) : chunk.end;
}

Result<> ShardPipeline::run_batch(const DecodedChunk& chunk, Cursor& cursor, Position stretch_end) {
  const auto& share = chunk.shares[options_.share];
  Time high = shard_.high();
  steps_.clear();
  size_t next = cursor.next;
  for (; next < share.size() && steps_.size() < options_.batch_events && chunk.records[share[next]].at < stretch_end; ++next) {
    const DecodedChunk::Record& record = chunk.records[share[next]];
    high = std::max(high, record.high);
    steps_.push_back({&record.event, high});
  }
  const bool whole = next == share.size() || !(chunk.records[share[next]].at < stretch_end);
  // Behind our last step the clock still follows the other shards' events, up to the place where the next life may begin to read.
  if (!whole) {
    high = std::max(high, chunk.records[share[next] - 1].high);
  } else if (replaying() && pending_.front().next == stretch_end) {
    high = pending_.front().high;
  } else {
    high = std::max(high, chunk.high);
  }
  if (high < (steps_.empty() ? shard_.high() : steps_.back().high))
    return fail(ErrorClass::kData,
                "the log has later times before commit " + std::to_string(last_.sequence + 1) + " than the journal knows: it was changed");

  const size_t taken = shard_.begin(steps_, high);
  SEGUE_TRY(load_wanted());
  shard_.run(*this, keep_);
  shard_.trim();

  cursor.next += taken;
  events_since_commit_ += taken;
  events_since_checkpoint_ += taken;
  (replaying() ? progress_.replayed : progress_.records).fetch_add(taken, std::memory_order_relaxed);
  if (shard_.high() < high) {
    position_ = reached(chunk, stretch_end);
  } else {
    position_ = whole ? stretch_end : chunk.records[share[cursor.next]].at;
  }
  return {};
}

// Where a batch that was cut between two timers stands: before the first record, whoever's, that moves the clock further.
Position ShardPipeline::reached(const DecodedChunk& chunk, Position stretch_end) const {
  const auto further = std::find_if(chunk.records.begin(), chunk.records.end(),
                                    [&](const auto& record) { return !(record.at < position_) && record.high > shard_.high(); });
  return further == chunk.records.end() ? stretch_end : std::min(further->at, stretch_end);
}

Result<> ShardPipeline::load_wanted() {
  const auto wanted = shard_.wanted();
  progress_.cache_misses.fetch_add(wanted.size(), std::memory_order_relaxed);
  if (wanted.empty()) return {};
  if (keys_.size() < wanted.size()) keys_.resize(wanted.size());
  key_views_.clear();
  for (size_t i = 0; i < wanted.size(); ++i) {
    codec::make_page_key(shard_.user_id(wanted[i]), keys_[i]);
    key_views_.push_back(keys_[i]);
  }
  Result<> decoded;
  SEGUE_TRY(store_.load(key_views_, [&](size_t i, std::optional<std::string_view> page) {
    if (!decoded) return;
    decoded = page ? codec::decode_page(*page, definitions_->plan(), shard_.supply(wanted[i]))
                   : Result<>(fail(ErrorClass::kData, "the page of a known user is missing"));
  }));
  return decoded;
}

void ShardPipeline::take(const shard::Output& output) {
  writer_.append(output, outputs_.transitions);
  ++outputs_.transition_count;
}

void ShardPipeline::tell_rejects(const DecodedChunk& chunk, Cursor& cursor) {
  for (; cursor.next_reject < chunk.rejects.size() && chunk.rejects[cursor.next_reject].at < position_; ++cursor.next_reject) {
    if (!options_.tells_rejects) continue;
    const DecodedChunk::Reject& reject = chunk.rejects[cursor.next_reject];
    codec::append_dead_letter(options_.partition, reject.at, reject.reason, reject.raw, outputs_.dead_letters);
    ++outputs_.dead_letter_count;
    ++rejects_[static_cast<size_t>(reject.reason)];
    if (replaying()) continue;
    progress_.rejects[static_cast<size_t>(reject.reason)].fetch_add(1, std::memory_order_relaxed);
    progress_.records.fetch_add(1, std::memory_order_relaxed);
  }
}

Result<> ShardPipeline::settle() {
  if (replaying()) {
    if (position_ != pending_.front().next || shard_.high() != pending_.front().high) return {};
    SEGUE_TRY(check_replayed());
  } else {
    if (!commit_is_due()) return {};
    SEGUE_TRY(commit());
  }
  return checkpoint_if_due();
}

Result<> ShardPipeline::finish() {
  if (replaying())
    return fail(ErrorClass::kData,
                "the log ends before commit " + std::to_string(pending_.front().sequence) + " of the journal: it was cut, or is another log");
  if (position_ != last_.next || shard_.high() != last_.high || outputs_.transition_count + outputs_.dead_letter_count > 0) SEGUE_TRY(commit());
  SEGUE_TRY(advance_checkpoint(true));
  if (events_since_checkpoint_ > 0 || shard_.cache().dirty() > 0 || last_.sequence > checkpointed_) {
    freeze();
    SEGUE_TRY(advance_checkpoint(true));
  }
  note_progress();
  return {};
}

// ---- commit

bool ShardPipeline::commit_is_due() const {
  // The first commit comes soon: after a restart somebody waits for news.
  const uint64_t events = progress_.commits == 0 ? options_.commit_events / 10 : options_.commit_events;
  return events_since_commit_ >= events || outputs_.transitions.size() + outputs_.dead_letters.size() >= options_.commit_bytes ||
         shard_.cache().dirty() >= options_.dirty_profiles;
}

Result<> ShardPipeline::commit() {
  codec::JournalRecord record;
  record.previous = last_.next;
  record.next = position_;
  record.high = shard_.high();
  record.definitions = definitions_->hash();
  record.program = kProgramVersion;
  SEGUE_TRY(commits_.commit({outputs_.transitions, outputs_.transition_count, outputs_.dead_letters, outputs_.dead_letter_count}, record));
  progress_.commits.fetch_add(1, std::memory_order_relaxed);
  progress_.transitions.fetch_add(outputs_.transition_count, std::memory_order_relaxed);
  progress_.committed_bytes.fetch_add(outputs_.transitions.size() + outputs_.dead_letters.size(), std::memory_order_relaxed);
  clear_outputs();
  last_ = std::move(record);
  return {};
}

// The outputs of a replayed commit are known downstream already: they only have to be the same.
Result<> ShardPipeline::check_replayed() {
  const codec::JournalRecord& record = pending_.front();
  const auto differs = [](const codec::OutputMark& mark, uint64_t count, std::string_view bytes) {
    return mark.count != count || mark.checksum != checksum(bytes);
  };
  if (differs(record.transitions, outputs_.transition_count, outputs_.transitions) ||
      differs(record.dead_letters, outputs_.dead_letter_count, outputs_.dead_letters))
    return fail(ErrorClass::kData, "replaying commit " + std::to_string(record.sequence) + " gave other outputs than the journal says (" +
                                       std::to_string(outputs_.transition_count) + " transitions, journal " +
                                       std::to_string(record.transitions.count) + "): the log was changed, or version " + record.program +
                                       " of the program decided differently from " + std::string(kProgramVersion));
  clear_outputs();
  last_ = record;
  pending_.pop_front();
  counted_from_ = shard_.totals();
  return {};
}

void ShardPipeline::clear_outputs() {
  outputs_.transitions.clear();
  outputs_.dead_letters.clear();
  outputs_.transition_count = outputs_.dead_letter_count = 0;
  events_since_commit_ = 0;
}

// ---- checkpoint

Result<> ShardPipeline::checkpoint_if_due() {
  const bool full = shard_.cache().dirty() >= options_.dirty_profiles;
  if (!full && events_since_checkpoint_ < options_.checkpoint_events) return {};
  if (shard_.cache().freezing()) {
    if (!full) return {};
    SEGUE_TRY(advance_checkpoint(true));
  }
  freeze();
  return {};
}

// Requires that everything applied is committed: S = C.
void ShardPipeline::freeze() {
  SEGUE_ASSERT(position_ == last_.next && outputs_.transition_count + outputs_.dead_letter_count == 0);
  shard_.cache().freeze();
  // Removals first: the page of a user who was erased and came back is put later, and the later call wins.
  for (const shard::Shard::Removal& removal : shard_.take_removals()) {
    const shard::Erased& erased = shard_.erased(removal.keyed_id);
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
  const shard::ShardState state = shard_.state();
  meta.high = state.high;
  meta.next_user_number = state.next_number;
  meta.totals = state.totals;
  meta.rejects = rejects_;
  meta.definitions = definitions_->hash();
  meta.program = kProgramVersion;
  page_.clear();
  codec::encode(meta, page_);
  store_.put(codec::kMetaKey, page_);
  checkpointed_ = last_.sequence;
  events_since_checkpoint_ = 0;
}

Result<> ShardPipeline::advance_checkpoint(bool wait) {
  if (!shard_.cache().freezing()) return {};
  if (!sealed_) {
    const size_t slice = wait ? SIZE_MAX : std::max(options_.slice_profiles, shard_.cache().frozen() / kSlices);
    if (!shard_.cache().keep_slice(slice, keep_)) return {};
    store_.seal();
    sealed_ = true;
  }
  if (!wait) {
    const auto written = store_.written();
    if (!written) return tl::unexpected<Error>(written.error());
    if (!*written) return {};
  }
  SEGUE_TRY(store_.install());
  shard_.cache().installed();
  sealed_ = false;
  progress_.checkpoints.fetch_add(1, std::memory_order_relaxed);
  return {};
}

void ShardPipeline::note_progress() {
  const auto set = [](auto& gauge, auto value) { gauge.store(value, std::memory_order_relaxed); };
  set(progress_.clock_ms, shard_.clock() == kNoTime ? int64_t{0} : to_ms(shard_.clock()));
  set(progress_.users, shard_.users());
  set(progress_.cached_profiles, shard_.cache().size());
  set(progress_.dirty_profiles, shard_.cache().dirty());
  set(progress_.timers, shard_.timers_pending());
  set(progress_.memory_bytes, shard_.memory_bytes());
  for (size_t i = 0; i < progress_.population.size(); ++i) set(progress_.population[i], shard_.population()[i]);
  if (replaying()) return;
  const shard::Totals& totals = shard_.totals();
  set(progress_.duplicates, totals.duplicates - counted_from_.duplicates);
  set(progress_.erased, totals.erased - counted_from_.erased);
  set(progress_.timers_fired, totals.timers - counted_from_.timers);
  for (size_t i = 0; i < event::kEventTypes; ++i) set(progress_.applied[i], totals.applied[i] - counted_from_.applied[i]);
  for (size_t i = 0; i < progress_.moves.size(); ++i) set(progress_.moves[i], totals.moves[i] - counted_from_.moves[i]);
}

}  // namespace segue::pipeline
