// SPDX-License-Identifier: Apache-2.0
// ShardPipeline: how a life begins. Checkpoint, journal, and the comparison of what is replayed.
#include <algorithm>

#include "lib/base/assert.h"
#include "lib/codec/page_codec.h"
#include "lib/pipeline/shard_pipeline.h"
#include "lib/pipeline/version.h"

namespace segue::pipeline {
namespace {

using DefinitionsResult = Result<std::shared_ptr<const segment::Definitions>>;

// Definitions out of a checkpoint or journal, which also knows their hash.
DefinitionsResult parse_stored(std::string_view yaml, const std::string& hash, const char* where) {
  auto parsed = segment::Definitions::parse(yaml, where);
  if (!parsed) return fail(ErrorClass::kData, std::string("the definitions in the ") + where + ": " + segment::to_string(parsed.error()));
  if (parsed->hash() != hash)
    return fail(ErrorClass::kData, std::string("the definitions in the ") + where + " have hash " + parsed->hash() + ", not " + hash +
                                       ": they are damaged, or the time zone database has changed their zone since");
  return std::make_shared<const segment::Definitions>(std::move(*parsed));
}

Result<> read_erasure_key(std::string_view bytes, std::array<uint8_t, 16>& key, const char* where) {
  if (bytes.size() != key.size()) return fail(ErrorClass::kData, std::string("the erasure key in the ") + where + " is malformed");
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return {};
}

}  // namespace

void ShardPipeline::start(std::shared_ptr<const segment::Definitions> definitions) {
  definitions_ = std::move(definitions);
  writer_.emplace(*definitions_);
  const shard::Shard::Options options{.cache_profiles = options_.cache_profiles, .max_timers = options_.max_timers, .vectors = options_.vectors};
  shard_.emplace(definitions_, options, genesis_.erasure_key);
  counted_from_ = shard_->totals();
  if (progress_->definitions->hash() != definitions_->hash()) show(std::make_shared<Progress>(definitions_));
}

Result<> ShardPipeline::recover() {
  constexpr std::array keys = {codec::kMetaKey, codec::kDefinitionsKey, codec::kErasureKeyKey};
  std::array<std::optional<std::string>, keys.size()> values;
  SEGUE_TRY(store_.load(keys, [&](size_t i, std::optional<std::string_view> value) {
    if (value) values[i] = std::string(*value);
  }));
  if (!values[0]) {
    start(genesis_.definitions);
    position_ = last_.next = genesis_.position;
    return {};
  }
  if (!values[1] || !values[2]) return fail(ErrorClass::kData, "the checkpoint lacks its definitions or its erasure key");
  const auto meta = codec::decode_shard_meta(*values[0]);
  if (!meta) return tl::unexpected<Error>(meta.error());
  SEGUE_TRY(restore(*meta, *values[1], *values[2]));
  SEGUE_TRY(restore_pages(meta->has_audiences));
  if (meta->has_audiences) SEGUE_TRY(restore_audiences());
  last_.timers = cut_timers();
  counted_from_ = shard_->totals();
  note_progress();
  return {};
}

Result<> ShardPipeline::restore(const codec::ShardMeta& meta, std::string_view definitions, std::string_view erasure_key) {
  auto parsed = parse_stored(definitions, meta.definitions, "checkpoint");
  if (!parsed) return tl::unexpected<Error>(std::move(parsed.error()));
  SEGUE_TRY(read_erasure_key(erasure_key, genesis_.erasure_key, "checkpoint"));
  start(std::move(*parsed));
  const shard::Totals& own = shard_->totals();
  if (meta.totals.moves.size() != own.moves.size() || meta.totals.entered.size() != own.entered.size() ||
      meta.totals.left.size() != own.left.size() || meta.next_user_number >= shard::kMaxUsers)
    return fail(ErrorClass::kData, "the checkpoint's totals do not fit its definitions");
  if (meta.sweep != codec::kNoSweep && meta.sweep > meta.next_user_number) return fail(ErrorClass::kData, "the checkpoint's sweep cannot be");
  shard_->restore({meta.high, meta.next_user_number, meta.totals});
  std::copy_n(meta.rejects.begin(), std::min(meta.rejects.size(), rejects_.size()), rejects_.begin());
  position_ = meta.position;
  sweep_ = meta.sweep;
  last_.sequence = settled_ = checkpointed_ = meta.sequence;
  last_.next = meta.position;
  last_.high = meta.high;
  last_.definitions = meta.definitions;
  last_.sweep = meta.sweep;
  last_place_ = meta.journal_hint;
  return {};
}

Result<> ShardPipeline::restore_pages(bool has_audiences) {
  const profile::Plan& plan = definitions_->plan();
  profile::Profile read;
  SEGUE_TRY(store_.scan(codec::kPagePrefix, [&](std::string_view key, std::string_view page) -> Result<> {
    const auto header = codec::read_page_header(page);
    if (!header) return tl::unexpected<Error>(header.error());
    auto stage = std::find_if(plan.stage_ids.begin(), plan.stage_ids.end(), [&](uint64_t id) { return codec::page_id(id) == header->stage_id; });
    // A page that the sweep has not reached may be of older definitions: a stage that is gone is the first one, a deadline may be over.
    const bool old = sweeping() && header->user_number >= sweep_;
    if (stage == plan.stage_ids.end()) {
      if (!old) return fail(ErrorClass::kData, "a page has a stage that the definitions do not know");
      stage = plan.stage_ids.begin();
    }
    const auto id = codec::user_of_page_key(key);
    if (!id) return fail(ErrorClass::kData, "a page's key is malformed");
    if (header->user_number >= shard_->next_number() || !shard_->user_id(header->user_number).empty())
      return fail(ErrorClass::kData, "a page has a user number that is not given, or is another user's");
    // The checkpoint's commit may have ended between two timers of one moment.
    if (header->deadline < shard_->clock() && !old) return fail(ErrorClass::kData, "a page has a deadline that should have fired");
    if (header->deadline == shard_->clock() && !old) shard_->restore_cut();
    shard_->restore_user(*id, header->user_number, header->deadline, static_cast<uint8_t>(stage - plan.stage_ids.begin()));
    const bool warm = shard_->cache_has_room();
    if (!warm && has_audiences && shard_->vectors() == nullptr) return {};
    profile::Profile& profile = warm ? shard_->supply(header->user_number) : read;
    auto decoded = codec::decode_page(page, plan, profile);
    if (decoded && shard_->vectors() != nullptr) shard_->vectors()->set(header->user_number, profile.vector);
    if (decoded && !has_audiences) shard_->audiences().add_user(header->user_number, profile);
    return decoded;
  }));
  return store_.scan(codec::kErasedPrefix, [&](std::string_view key, std::string_view value) -> Result<> {
    const auto keyed = codec::hash_of_erased_key(key);
    if (!keyed) return fail(ErrorClass::kData, "an erased user's key is malformed");
    const auto erased = codec::decode_erased_user(value);
    if (!erased) return tl::unexpected<Error>(erased.error());
    shard_->restore_erased(*keyed, {erased->up_to, erased->outputs});
    return {};
  });
}

// The index that the checkpoint has; whether it is what the pages say, segue verify counts.
Result<> ShardPipeline::restore_audiences() {
  audience::Index& index = shard_->audiences();
  SEGUE_TRY(store_.scan(codec::kAudiencePrefix, [&](std::string_view key, std::string_view value) -> Result<> {
    const auto part = codec::part_of_audience_key(key);
    return part ? index.restore(part->set, part->chunk, value) : Result<>(fail(ErrorClass::kData, "audience index: a malformed key"));
  }));
  bool fits = index.count_all() == shard_->users() && index.chunks() <= (shard_->next_number() + audience::kChunkUsers - 1) / audience::kChunkUsers;
  for (size_t stage = 0; stage < shard_->population().size(); ++stage) fits &= index.count_stage(stage) == shard_->population()[stage];
  if (!fits) return fail(ErrorClass::kData, "audience index: its users are not those of the pages");
  return {};
}

// ---- the journal

// The checkpoint's own commit must be in the journal: a journal that ends before it was cut, and its outputs with it.
Result<> ShardPipeline::own(CommitPort& commits) {
  const codec::JournalRecord known = newest();
  const uint64_t place = pending_.empty() ? last_place_ : pending_.back().place;
  bool found = known.sequence == 0;
  journal_end_.reset();
  SEGUE_TRY(commits.for_each_since(found ? 0 : known.sequence - 1, place, [&](const codec::JournalRecord& record, uint64_t at) -> Result<> {
    if (record.sequence > known.sequence && !journal_end_ && pending_.size() < options_.pending_commits) return accept(record, at);
    if (record.sequence > known.sequence) {
      if (auto follows = check_chain(journal_end_ ? *journal_end_ : newest(), record); !follows) return follows;
      journal_end_ = record;
      journal_end_->definitions_text.clear();
      return {};
    }
    if (record.sequence != known.sequence) return fail(ErrorClass::kData, "the journal lacks commit " + std::to_string(known.sequence));
    if (record.next != known.next || record.high != known.high || record.definitions != known.definitions || record.sweep != known.sweep ||
        record.timers != known.timers)
      return fail(ErrorClass::kData, "the checkpoint and the journal disagree about commit " + std::to_string(record.sequence));
    found = true;
    if (pending_.empty()) last_ = record, last_place_ = at;
    return {};
  }));
  if (!found)
    return fail(ErrorClass::kData,
                "the checkpoint holds commit " + std::to_string(known.sequence) + ", the journal ends before it: its end was lost");
  commits_ = &commits;
  return {};
}

std::optional<ShardPipeline::JournalStretch> ShardPipeline::wanted_stretch() const {
  if (!journal_end_ || pending_.size() > options_.pending_commits / 2) return std::nullopt;
  return JournalStretch{newest().sequence, known_place(), journal_end_->sequence, std::max<size_t>(options_.pending_commits - pending_.size(), 1)};
}

Result<std::vector<ShardPipeline::Placed>> ShardPipeline::read(CommitPort& commits, const JournalStretch& stretch) {
  std::vector<Placed> records;
  bool enough = false;
  const auto read = commits.for_each_since(stretch.after, stretch.place, [&](const codec::JournalRecord& record, uint64_t at) -> Result<> {
    records.push_back({record, at});
    enough = records.size() == stretch.most || record.sequence >= stretch.until;
    return enough ? fail(ErrorClass::kUsage, "enough was read") : Result<>();
  });
  if (!read && !enough) return tl::unexpected<Error>(read.error());
  return records;
}

Result<> ShardPipeline::take_stretch(std::vector<Placed> records) {
  for (const Placed& placed : records) {
    if (!journal_end_) break;
    SEGUE_TRY(accept(placed.record, placed.place));
    if (placed.record.sequence != journal_end_->sequence) continue;
    if (placed.record.next != journal_end_->next || placed.record.high != journal_end_->high)
      return fail(ErrorClass::kData, "commit " + std::to_string(placed.record.sequence) + " of the journal has changed since it was read first");
    journal_end_.reset();
  }
  if (records.empty()) return fail(ErrorClass::kData, "the journal lacks commit " + std::to_string(newest().sequence + 1) + ", which it had");
  return {};
}

Result<> ShardPipeline::follow(codec::JournalRecord record, uint64_t place) {
  SEGUE_ASSERT(commits_ == nullptr);
  if (record.sequence <= newest().sequence) return {};
  return accept(record, place);
}

Result<> ShardPipeline::accept(const codec::JournalRecord& record, uint64_t place) {
  SEGUE_TRY(check_chain(newest(), record));
  if (record.sequence == 1) SEGUE_TRY(start_from(record));
  pending_.push_back({record, place});
  return {};
}

// The chain: each record goes on where the one before it ended.
Result<> ShardPipeline::check_chain(const codec::JournalRecord& before, const codec::JournalRecord& record) {
  if (record.sequence != before.sequence + 1) return fail(ErrorClass::kData, "the journal lacks commit " + std::to_string(before.sequence + 1));
  if (record.sequence > 1 && (record.previous != before.next || record.next < before.next || record.high < before.high ||
                              (record.definitions != before.definitions && record.definitions_text.empty())))
    return fail(ErrorClass::kData, "commit " + std::to_string(record.sequence) + " of the journal does not follow from the one before");
  return {};
}

Result<> ShardPipeline::start_from(const codec::JournalRecord& first) {
  auto definitions = parse_stored(first.definitions_text, first.definitions, "journal");
  if (!definitions) return tl::unexpected<Error>(std::move(definitions.error()));
  SEGUE_TRY(read_erasure_key(first.erasure_key, genesis_.erasure_key, "journal"));
  start(std::move(*definitions));
  genesis_.position = position_ = last_.next = first.previous;
  return {};
}

// Whether the batch was the last one of the commit that is being replayed.
Result<> ShardPipeline::check_end_of_replayed() {
  const codec::JournalRecord& record = pending_.front().record;
  if (position_ != record.next || shard_->high() != record.high || sweep_ != record.sweep) return {};
  if (cut_timers() == record.timers) return check_replayed();
  const bool is_on_the_way = shard_->cut() && (record.timers == 0 || shard_->totals().timers < record.timers);
  return is_on_the_way
             ? Result<>()
             : fail(ErrorClass::kData, "replaying commit " + std::to_string(record.sequence) + " fired " + std::to_string(shard_->totals().timers) +
                                           " timers until its clock, the journal says " + std::to_string(record.timers));
}

// The outputs of a replayed commit are known downstream already: they only have to be the same.
Result<> ShardPipeline::check_replayed() {
  const codec::JournalRecord& record = pending_.front().record;
  const Outputs& outputs = next_.outputs;
  const auto differs = [](const codec::OutputMark& mark, size_t count, std::string_view bytes) {
    return mark.count != count || mark.checksum != (bytes.empty() ? 0 : hash64(bytes));
  };
  if (differs(record.transitions, outputs.transitions.size(), outputs.transition_lines) ||
      differs(record.dead_letters, outputs.dead_letters.size(), outputs.dead_letter_lines))
    return fail(ErrorClass::kData, "replaying commit " + std::to_string(record.sequence) + " gave other outputs than the journal says (" +
                                       std::to_string(outputs.transitions.size()) + " transitions, journal " +
                                       std::to_string(record.transitions.count) + "): the log was changed, or version " + record.program +
                                       " of the program decided differently from " + std::string(kProgramVersion));
  if (observer_) SEGUE_TRY(observer_(record, outputs));
  forget_outputs();
  last_ = std::move(pending_.front().record);
  last_place_ = pending_.front().place;
  settled_ = last_.sequence;
  pending_.pop_front();
  counted_from_ = shard_->totals();
  return {};
}

}  // namespace segue::pipeline
