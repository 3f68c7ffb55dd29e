// SPDX-License-Identifier: Apache-2.0
// ShardPipeline: new definitions, and the sweep that evaluates every user under them.
#include <algorithm>

#include "lib/base/assert.h"
#include "lib/codec/page_codec.h"
#include "lib/pipeline/shard_pipeline.h"

namespace segue::pipeline {

// The steps that need no input: of a recorded commit, or our own. False: they wait for room.
Result<bool> ShardPipeline::take_other_steps() {
  for (;;) {
    if (pending_.empty() && journal_end_) return false;
    if (replaying()) {
      const codec::JournalRecord& record = pending_.front().record;
      if (record.definitions != definitions_->hash()) {
        if (shard_->cut())
          return fail(ErrorClass::kData,
                      "commit " + std::to_string(record.sequence) + " of the journal has new definitions between timers of one moment");
        auto parsed = segment::Definitions::parse(record.definitions_text, "journal");
        if (!parsed || parsed->hash() != record.definitions)
          return fail(ErrorClass::kData, "the definitions of commit " + std::to_string(record.sequence) + " cannot be read from the journal");
        const auto done = activate(std::make_shared<const segment::Definitions>(std::move(*parsed)));
        if (!done || !*done) return done;
      }
      if (!sweeping() || record.sweep == sweep_) return true;
      if (!has_room() || give_way()) return false;
      SEGUE_TRY(sweep(record.sweep == codec::kNoSweep ? shard_->next_number() : record.sweep));
      continue;
    }
    if (commits_ == nullptr) return true;
    // One sweep ends before the next begins: what a page becomes must not depend on whether it was in memory in between.
    if (!sweeping() && wanted_->hash() != definitions_->hash()) {
      const auto done = activate(wanted_);
      if (!done || !*done) return done;
    }
    if (!sweeping()) return true;
    if (clock_stepped_ || !has_room() || give_way()) return false;
    SEGUE_TRY(sweep(shard_->next_number()));
  }
}

// Profiles in memory become what their pages would under the new definitions when the sweep comes to them; those on disk do so when they are read.
// False: something older is not done yet. A commit begins with this step: it ends the one before.
Result<bool> ShardPipeline::activate(std::shared_ptr<const segment::Definitions> definitions) {
  SEGUE_TRY(look_at_commit());
  if (shard_->cache().freezing()) SEGUE_TRY(advance_checkpoint(replaying()));
  if (shard_->cache().freezing()) return false;
  if (!replaying() && has_uncommitted()) {
    if (in_flight_) return false;
    SEGUE_TRY(submit());
  }
  shard_->activate(definitions, [this, before = definitions_, after = definitions](profile::Profile& profile) {
    shape_page_.clear();
    codec::encode_page(profile, 0, before->plan(), shape_page_);
    if (auto decoded = codec::decode_page(shape_page_, after->plan(), profile); !decoded) shaped_ = std::move(decoded);
  });
  activated_text_ = definitions->text();
  definitions_ = std::move(definitions);
  writer_.emplace(*definitions_);
  show(std::make_shared<Progress>(definitions_));
  counted_from_ = shard_->totals();
  sweep_ = 0;
  return true;
}

// One batch of the sweep, up to user `to` at most; the last one ends it.
Result<> ShardPipeline::sweep(shard::UserNumber to) {
  const auto end = static_cast<shard::UserNumber>(std::min<uint64_t>(to, uint64_t{sweep_} + options_.sweep_users));
  shard_->begin_sweep(sweep_, end);
  SEGUE_TRY(load_wanted());
  shard_->sweep(*this, keep_);
  shard_->trim();
  sweep_ = end == shard_->next_number() ? codec::kNoSweep : end;
  return after_batch();
}

}  // namespace segue::pipeline
