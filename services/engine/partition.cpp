// SPDX-License-Identifier: Apache-2.0
#include "services/engine/partition.h"

#include <algorithm>
#include <thread>

#include "lib/base/assert.h"

namespace segue::engine {
namespace {

// In a backlog outputs wait this long for more: a transaction costs three to five milliseconds of the machine, most of them the broker's, whatever is
// in it.
constexpr auto kBacklogCommit = std::chrono::milliseconds(500);
// A commit that takes longer is a trouble that people should see.
constexpr auto kPatience = std::chrono::seconds(5);
// Figures that cost more than a few loads.
constexpr auto kFigures = std::chrono::milliseconds(500);

Time earlier(Time a, Time b) {
  if (a == kNoTime) return b;
  return b == kNoTime ? a : std::min(a, b);
}

}  // namespace

// ---- queue

void Partition::push(std::unique_ptr<InputChunk> chunk) {
  next_offset_ = chunk->decoded().end.offset;
  queue_.push_back(std::move(chunk));
}

void Partition::note_end(uint64_t offset) {
  end_offset_ = offset;
  if (offset <= next_offset_) return;
  // One chunk for however many follow each other: their number is not bounded by the queue's.
  if (!queue_.empty() && queue_.back()->records() == 0) {
    queue_.back()->fill_empty(queue_.back()->decoded().begin.offset, offset);
    next_offset_ = offset;
    return;
  }
  auto gap = context_.chunks.take();
  gap->fill_empty(next_offset_, offset);
  push(std::move(gap));
}

void Partition::note_watermark(Time asked_at, uint64_t high_watermark) {
  watermark_ = {asked_at, high_watermark};
  high_watermark_ = high_watermark;
}

// ---- the way of a chunk

Result<> Partition::advance(Clock::time_point now, bool backlog) {
  const bool replaying = pipeline_->replaying();
  auto advanced = go_on(now, backlog);
  if (!advanced && advanced.error().kind == ErrorClass::kData && replaying) context_.counters.replay_mismatches.fetch_add(1);
  return advanced;
}

// The order of the stages.
Result<> Partition::go_on(Clock::time_point now, bool backlog) {
  waits_ = gave_way_ = false;
  SEGUE_TRY(pipeline_->poll());
  note_submitted();
  pipeline_->want(context_.definitions->get());  // a reload may have come
  SEGUE_TRY(read_journal_on());
  SEGUE_TRY(take_queue());
  SEGUE_TRY(step_clock());
  SEGUE_TRY(commit(now, backlog));
  note_submitted();
  note_checkpoints(now);
  // Damage that comes back before anything was committed is the same damage.
  if (damages_ > 0 && !pipeline_->in_flight() && pipeline_->progress()->commits.load(std::memory_order_relaxed) > 0) damages_ = 0;
  return {};
}

// A long journal is read in stretches, beside the replay of the one before: a broker that is slow must not hold the worker.
Result<> Partition::read_journal_on() {
  if (stretch_.valid()) {
    if (stretch_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return {};
    auto records = stretch_.get();
    if (!records) return tl::unexpected<Error>(std::move(records.error()));
    SEGUE_TRY(pipeline_->take_stretch(std::move(*records)));
  }
  if (const auto wanted = pipeline_->wanted_stretch())
    stretch_ =
        std::async(std::launch::async, [commits = commits_.get(), wanted = *wanted] { return pipeline::ShardPipeline::read(*commits, wanted); });
  return {};
}

Result<> Partition::take_queue() {
  while (!queue_.empty()) {
    InputChunk& chunk = *queue_.front();
    open_since_ = earlier(open_since_, chunk.appended_at());
    const auto taken = pipeline_->take(chunk.decoded());
    if (!taken) return tl::unexpected<Error>(taken.error());
    note_submitted();
    if (pipeline_->has_uncommitted()) open_since_ = earlier(open_since_, chunk.appended_at());
    if (!*taken) return note_unfinished(), Result<>();
    const bool had_records = chunk.records() > 0;
    if (chunk.appended_at() != kNoTime) taken_until_ = chunk.appended_at();
    context_.chunks.give(std::move(queue_.front()));
    queue_.pop_front();
    if (had_records && !queue_.empty()) return gave_way_ = true, Result<>();
  }
  // The end of a replay, new definitions and their sweep need no input.
  const uint64_t position = pipeline_->position().offset;
  empty_.fill_empty(position, position);
  const auto driven = pipeline_->take(empty_.decoded());
  if (!driven) return tl::unexpected<Error>(driven.error());
  if (!*driven) note_unfinished();
  return {};
}

void Partition::note_unfinished() {
  gave_way_ = pipeline_->gave_way();
  waits_ = !gave_way_;
}

// A backlog is never lapsed by the wall clock: what was in the log when it was asked must have been taken.
Result<> Partition::step_clock() {
  if (!watermark_ || !queue_.empty() || waits_ || gave_way_) return {};
  if (pipeline_->shard().high() >= watermark_->asked_at) {
    watermark_.reset();
    return {};
  }
  if (std::max(pipeline_->position().offset, end_offset_) < watermark_->offset) return {};
  const auto stepped = pipeline_->advance_clock(watermark_->asked_at);
  if (!stepped) return tl::unexpected<Error>(stepped.error());
  if (*stepped) {
    watermark_.reset();
  } else {
    note_unfinished();
  }
  return {};
}

Result<> Partition::commit(Clock::time_point now, bool backlog) {
  if (pipeline_->replaying() || pipeline_->in_flight() || !pipeline_->has_uncommitted()) return {};
  const Duration patience = !pipeline_->has_outputs() ? context_.config.commit.interval : backlog ? Duration(kBacklogCommit) : Duration(0);
  if (now - last_commit_ < patience) return {};
  return pipeline_->flush();
}

// ---- reads

void Partition::run_reads(std::chrono::nanoseconds budget) {
  if (!mailbox_) {
    if (following_ || !pipeline_ || !pipeline_->started() || pipeline_->replaying()) return;
    reader_ = std::make_unique<serving::ShardReader>(number_, *pipeline_, *store_);
    mailbox_ = std::make_shared<serving::ShardMailbox>(wake_);
    context_.places.set_local(number_, mailbox_);
  }
  if (!mailbox_->empty()) mailbox_->run(*reader_, budget);
}

void Partition::end_reads() {
  if (!mailbox_) return;
  context_.places.set_local(number_, nullptr);
  mailbox_->close();
  mailbox_.reset();
  reader_.reset();
}

// ---- what is told

// What was open is in flight now, what was in flight is settled.
void Partition::note_submitted() {
  if (pipeline_->last_commit().sequence != commit_seen_) {
    commit_seen_ = pipeline_->last_commit().sequence;
    last_commit_ = Clock::now();
    flight_since_ = std::exchange(open_since_, kNoTime);
  }
  if (!pipeline_->in_flight()) flight_since_ = kNoTime;
  if (!pipeline_->has_uncommitted()) open_since_ = kNoTime;
}

void Partition::note_checkpoints(Clock::time_point now) {
  const auto progress = pipeline_->progress();
  const uint64_t checkpoints = progress->checkpoints.load(std::memory_order_relaxed);
  if (checkpoints != checkpoints_seen_) {
    checkpoints_seen_ = checkpoints;
    checkpoint_at_ = wall_clock();
    if (checkpoint_began_) checkpoint_time_ = now - *checkpoint_began_;
    checkpoint_began_.reset();
    checkpoint_wanted_ = now + context_.config.checkpoint.interval;
    checkpointed_commit_ = commit_seen_;
  }
  const bool freezing = pipeline_->shard().cache().freezing();
  if (freezing && !checkpoint_began_) checkpoint_began_ = now;
  // A shard with few events has one by time, so that a restart has little to replay.
  if (now >= checkpoint_wanted_ && !freezing && commit_seen_ > checkpointed_commit_ && !pipeline_->replaying()) {
    pipeline_->request_checkpoint();
    checkpoint_wanted_ = now + context_.config.checkpoint.interval;
  }
}

Time Partition::uncommitted_since() const {
  Time since = earlier(flight_since_, open_since_);
  if (since == kNoTime && !queue_.empty()) since = queue_.front()->appended_at();
  if (since != kNoTime) return since;
  if (following_) return kNoTime;
  const bool behind = high_watermark_ && std::max(next_offset_, end_offset_) < *high_watermark_;
  return behind ? taken_until_ : kNoTime;
}

void Partition::show(PartitionState state, std::string reason) {
  shown_ = state;
  shown_reason_ = reason;
  view_->update([&](PartitionStatus& status) { status.state = state, status.reason = std::move(reason); });
}

PartitionState Partition::state(const kafka::CommitStatus& commits) const {
  if (shown_) return *shown_;
  if (following_) return PartitionState::kFollowing;
  if (commits.in_flight > kPatience) return PartitionState::kPaused;
  return pipeline_->replaying() ? PartitionState::kReplaying : PartitionState::kRunning;
}

void Partition::publish(Clock::time_point now) {
  if (!pipeline_ || !pipeline_->started()) return;
  std::optional<rocks::StoreStatistics> statistics;
  if (now >= figures_due_) {
    figures_due_ = now + kFigures;
    statistics = store_->statistics();
  }
  if (commits_) commit_status_ = commits_->status();
  const PartitionState current = state(commit_status_);
  const shard::Shard& shard = pipeline_->shard();
  view_->update([&](PartitionStatus& status) {
    status.state = current;
    status.reason = shown_ ? shown_reason_ : current == PartitionState::kPaused ? "a commit waits: " + commit_status_.error : std::string();
    status.position = pipeline_->position().offset;
    status.replay_end = pipeline_->known_end().offset;
    status.commit = pipeline_->settled_sequence();
    status.uncommitted_since = uncommitted_since();
    status.at_end = queue_.empty() && !waits_ && !gave_way_ && end_offset_ >= next_offset_ && end_offset_ > 0;
    status.high = shard.high();
    status.next_timer = shard.next_timer();
    status.lateness = pipeline_->definitions()->plan().lateness;
    status.sweeping = pipeline_->sweeping();
    status.checkpoint_at = checkpoint_at_;
    status.checkpoint_time = checkpoint_time_;
    status.queued_chunks = queue_.size();
    status.commits = commit_status_;
    if (statistics) status.store = *statistics;
  });
  view_->set_progress(pipeline_->progress());
}

// ---- a standby

Result<> Partition::follow(codec::JournalRecord record, uint64_t place) {
  const bool first = record.sequence == 1;
  SEGUE_TRY(pipeline_->follow(std::move(record), place));
  if (!first) return {};
  // Only now it is known where the shard's log began.
  next_offset_ = pipeline_->position().offset;
  if (next_offset_ >= low_watermark_) return {};
  return fail(ErrorClass::kStop,
              "the input begins at " + std::to_string(low_watermark_) + ", behind this shard's first commit at " + std::to_string(next_offset_));
}

Result<> Partition::advance_followed(Clock::time_point now) {
  waits_ = gave_way_ = false;
  SEGUE_TRY(pipeline_->poll());
  SEGUE_TRY(take_queue());
  note_submitted();
  note_checkpoints(now);
  // Whoever is beyond the place of the damage has passed it.
  if (damages_ > 0 && pipeline_->last_commit().sequence > damaged_at_) damages_ = 0;
  return {};
}

// ---- the end

void Partition::finish(Clock::time_point deadline) {
  if (!pipeline_ || !pipeline_->started() || !commits_ || pipeline_->replaying()) return close();
  queue_.clear();
  // In small steps, because a broker that is away must not keep the process: what is not committed then is what a crash would leave.
  bool quiet = false;
  while (!quiet && Clock::now() < deadline) {
    if (!pipeline_->poll() || !pipeline_->flush()) break;
    quiet = !pipeline_->in_flight() && !pipeline_->has_uncommitted();
    if (!quiet) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (quiet) (void)pipeline_->finish();
  commits_->cancel();
  close();
}

}  // namespace segue::engine
