// SPDX-License-Identifier: Apache-2.0
#include "services/live/live_shard.h"

#include <algorithm>

#include "lib/filelog/commit_log.h"
#include "lib/pipeline/clock_rule.h"
#include "lib/telemetry/log.h"
#include "services/replay/log_run.h"

namespace segue::live {
namespace {

namespace log = telemetry::log;

// Nothing to do: how long until the next look at intervals, and at the size of a file that nobody tells about.
constexpr std::chrono::milliseconds kIdle{20};
// A checkpoint that is being written wakes nobody.
constexpr std::chrono::milliseconds kWaiting{5};
// Syncs of commits and of the log share one disk: commits of outputs keep this distance, so that the log's senders are not kept waiting.
constexpr std::chrono::milliseconds kLeastCommit{5};
constexpr std::chrono::milliseconds kPublish{50};
constexpr std::chrono::milliseconds kFigures{500};
constexpr std::chrono::seconds kTryAgain{1};
constexpr std::chrono::seconds kPatience{5};
// Reads between two batches, which take about 3 ms: an engine that is behind goes on at two thirds of its speed while it is asked all the time.
constexpr std::chrono::nanoseconds kReadsOfABatch = std::chrono::milliseconds(1);
constexpr std::chrono::nanoseconds kReadsOfATurn = std::chrono::milliseconds(2);

}  // namespace

LiveShard::LiveShard(const Surroundings& around, int32_t partition)
    : around_(around), partition_(partition), log_path_(around.directory.logs[static_cast<size_t>(partition)]) {
  status_.partition = partition;
  decoded_.shares.resize(1);
  empty_.shares.resize(1);
}

LiveShard::~LiveShard() {
  stopping_ = true;
  wake();
  join();
}

void LiveShard::start() {
  last_turn_ = Clock::now().time_since_epoch().count();
  thread_ = std::thread([this] { run(); });
}

void LiveShard::stop(Clock::time_point deadline) {
  {
    const std::lock_guard lock(mutex_);
    deadline_ = deadline;
  }
  clean_ = true;
  stopping_ = true;
  wake();
}

void LiveShard::join() {
  if (thread_.joinable()) thread_.join();
}

void LiveShard::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

ShardStatus LiveShard::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

// ---- the whole life

void LiveShard::run() {
  auto result = open();
  while (result && !stopping_) {
    const auto now = Clock::now();
    last_turn_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    if (now >= try_again_) result = turn(now);
    if (!result && result.error().kind == ErrorClass::kRetry) {
      pause(std::move(result.error()), now);
      result = {};
    }
    run_reads(kReadsOfATurn);
    publish(now);
    wait_for_work();
  }
  close(result.has_value() && clean_);
  if (result) return;
  log::error("shard stopped", {{"partition", partition_}, {"reason", result.error().message}});
  {
    const std::lock_guard lock(mutex_);
    status_.state = ShardState::kStopped;
    status_.reason = result.error().message;
  }
  around_.fail(std::move(result.error()));
}

Result<> LiveShard::open() {
  const replay::StateDirectory& directory = around_.directory;
  const LiveOptions& options = around_.options;
  const auto shard = static_cast<size_t>(partition_);
  rocks::RocksOptions rocks_options;
  rocks_options.path = directory.state_path(shard);
  rocks_options.block_cache = around_.block_cache;
  auto store = rocks::RocksStore::open(rocks_options);
  if (!store) return tl::unexpected<Error>(std::move(store.error()));
  store_ = std::move(*store);
  auto files = filelog::CommitLog::open(around_.files, directory.path, directory.shard_name(shard), {.sync = options.sync});
  if (!files) return tl::unexpected<Error>(std::move(files.error()));
  const uint64_t transitions = (*files)->last() ? (*files)->last()->transitions.length : 0;
  auto background = std::make_unique<filelog::BackgroundCommits>(
      std::move(*files), [this] { wake(); }, filelog::BackgroundCommits::Options{});
  background_ = background.get();
  commits_ = std::move(background);
  fed_commits_ = std::make_unique<serving::FeedingCommits>(*commits_, around_.feed, partition_, around_.archive);
  fed_commits_->begin(transitions);

  pipeline::ShardPipeline::Options pipeline_options;
  pipeline_options.partition = filelog::file_name(log_path_);
  pipeline_options.commit_events = options.commit_events;
  pipeline_options.checkpoint_events = options.checkpoint_events;
  // The memory that was asked for is the process's: each shard has its part.
  pipeline_options.cache_profiles = std::max<size_t>(1, options.cache_profiles / directory.shards);
  pipeline_options.vectors = true;  // for similar users
  pipeline_options.dirty_profiles = std::max<size_t>(1, options.dirty_profiles / directory.shards);
  // Reads wait for a batch: 4 to 8 us a user where the pages come from the disk.
  pipeline_options.max_timers = 512;
  pipeline_options.sweep_users = 512;
  pipeline_options.call_batches = 8;
  pipeline_ = std::make_unique<pipeline::ShardPipeline>(pipeline_options, pipeline::Genesis{around_.wanted(), directory.erasure_key, {}}, *store_);
  pipeline_->on_batch_end([this] {
    last_turn_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
    run_reads(kReadsOfABatch);
  });
  SEGUE_TRY(pipeline_->recover());
  SEGUE_TRY(pipeline_->own(*fed_commits_));
  reader_ = std::make_unique<serving::ShardReader>(partition_, *pipeline_, *store_);
  mailbox_ = std::make_shared<serving::ShardMailbox>([this] { wake(); });
  auto tail = filelog::LogTail::open(around_.files, log_path_, pipeline_->position());
  if (!tail) return tl::unexpected<Error>(std::move(tail.error()));
  tail_ = std::move(*tail);
  commit_seen_ = checkpointed_commit_ = pipeline_->last_commit().sequence;
  last_commit_ = Clock::now();
  checkpoint_wanted_ = last_commit_ + options.checkpoint_interval;
  log::info("shard opened", {{"partition", partition_}, {"position", pipeline_->position().offset}, {"commit", commit_seen_}});
  return {};
}

void LiveShard::close(bool clean) {
  if (mailbox_) {
    if (caught_up_) around_.places.set_local(partition_, nullptr);
    mailbox_->close();
  }
  // What is still being replayed was committed before, and is replayed next time.
  if (clean && pipeline_ && !pipeline_->replaying()) {
    {
      const std::lock_guard lock(mutex_);
      background_->wait_no_longer_than(deadline_);
    }
    if (auto finished = pipeline_->finish(); !finished)
      log::warn("stopped without a last checkpoint: the next start takes a little of the log again",
                {{"partition", partition_}, {"reason", finished.error().message}});
  }
  if (pipeline_) publish(Clock::now() + kPublish);
  reader_.reset();
  pipeline_.reset();
  fed_commits_.reset();
  commits_.reset();
  store_.reset();
}

// ---- one turn

// The order of the stages.
Result<> LiveShard::turn(Clock::time_point now) {
  waits_ = gave_way_ = false;
  SEGUE_TRY(pipeline_->poll());
  note_submitted(now);
  pipeline_->want(around_.wanted());
  SEGUE_TRY(take_log());
  SEGUE_TRY(step_clock());
  SEGUE_TRY(commit(now));
  note_submitted(now);
  note_checkpoints(now);
  if (!caught_up_ && !pipeline_->replaying()) {
    caught_up_ = true;
    around_.places.set_local(partition_, mailbox_);
  }
  if (trouble_) {
    log::info("shard goes on", {{"partition", partition_}});
    trouble_.reset();
  }
  return {};
}

Result<> LiveShard::take_log() {
  if (!chunk_waits_) SEGUE_TRY(read_log());
  // The end of a replay, new definitions and their sweep need no input.
  empty_.begin = empty_.end = pipeline_->position();
  const auto taken = pipeline_->take(chunk_waits_ ? decoded_ : empty_);
  if (!taken) return tl::unexpected<Error>(taken.error());
  if (!*taken) note_unfinished();
  if (*taken) chunk_waits_ = false;
  return {};
}

void LiveShard::note_unfinished() {
  gave_way_ = pipeline_->gave_way();
  waits_ = !gave_way_;
}

Result<> LiveShard::read_log() {
  const Time asked_at = around_.options.now();
  if (around_.options.durable_bytes) {
    log_end_ = around_.options.durable_bytes(static_cast<size_t>(partition_));
  } else {
    const auto size = tail_->size();
    if (!size) return tl::unexpected<Error>(size.error());
    log_end_ = *size;
  }
  SEGUE_TRY(tail_->next(chunk_, log_end_));
  at_end_ = chunk_.lines.empty();
  asked_at_ = asked_at;
  if (at_end_) return {};
  arena_.clear();
  replay::decode_chunk(chunk_, decoder_, arena_, decoded_);
  chunk_waits_ = true;
  if (open_since_ == kNoTime) open_since_ = asked_at;
  return {};
}

// A backlog is never lapsed by the wall clock: what was in the log before the time was taken must have been taken.
Result<> LiveShard::step_clock() {
  if (!around_.options.follow_wall_clock || !at_end_ || chunk_waits_ || waits_ || gave_way_ || pipeline_->replaying()) return {};
  const shard::Shard& shard = pipeline_->shard();
  const pipeline::ClockRule rule{.heartbeat = around_.options.clock_step};
  if (!pipeline::wants_step(rule, asked_at_, shard.high(), shard.next_timer(), pipeline_->definitions()->plan().lateness)) return {};
  const auto stepped = pipeline_->advance_clock(asked_at_);
  if (!stepped) return tl::unexpected<Error>(stepped.error());
  if (!*stepped) note_unfinished();
  return {};
}

Result<> LiveShard::commit(Clock::time_point now) {
  if (pipeline_->replaying() || pipeline_->in_flight() || !pipeline_->has_uncommitted()) return {};
  const Duration patience = pipeline_->has_outputs() ? Duration(kLeastCommit) : around_.options.commit_interval;
  if (now - last_commit_ < patience) return {};
  return pipeline_->flush();
}

// What was open is in flight now, what was in flight is settled.
void LiveShard::note_submitted(Clock::time_point now) {
  if (pipeline_->last_commit().sequence != commit_seen_) {
    commit_seen_ = pipeline_->last_commit().sequence;
    last_commit_ = now;
    flight_since_ = std::exchange(open_since_, kNoTime);
  }
  if (!pipeline_->in_flight()) flight_since_ = kNoTime;
  if (!pipeline_->has_uncommitted() && !chunk_waits_) open_since_ = kNoTime;
}

void LiveShard::note_checkpoints(Clock::time_point now) {
  const uint64_t checkpoints = pipeline_->progress()->checkpoints.load(std::memory_order_relaxed);
  if (checkpoints != checkpoints_seen_) {
    checkpoints_seen_ = checkpoints;
    checkpoint_wanted_ = now + around_.options.checkpoint_interval;
    checkpointed_commit_ = commit_seen_;
    const std::lock_guard lock(mutex_);
    status_.checkpoint_at = around_.options.now();
    if (checkpoint_began_) status_.checkpoint_time = now - *checkpoint_began_;
    checkpoint_began_.reset();
  }
  const bool freezing = pipeline_->shard().cache().freezing();
  if (freezing && !checkpoint_began_) checkpoint_began_ = now;
  // A shard with few events has one by time, so that a restart has little to replay.
  if (now >= checkpoint_wanted_ && !freezing && commit_seen_ > checkpointed_commit_ && !pipeline_->replaying()) {
    pipeline_->request_checkpoint();
    checkpoint_wanted_ = now + around_.options.checkpoint_interval;
  }
}

// ---- besides

void LiveShard::run_reads(std::chrono::nanoseconds budget) {
  if (caught_up_ && !mailbox_->empty()) mailbox_->run(*reader_, budget);
}

// A full disk, as a rule. What is in memory stays as it is and is read on; the same is tried again.
void LiveShard::pause(Error error, Clock::time_point now) {
  // Once: the same trouble comes with other file names each time.
  if (!trouble_) log::warn("shard paused", {{"partition", partition_}, {"reason", error.message}});
  trouble_ = std::move(error);
  try_again_ = now + kTryAgain;
}

void LiveShard::publish(Clock::time_point now) {
  if (now - published_ < kPublish) return;
  published_ = now;
  std::optional<rocks::StoreStatistics> statistics;
  if (now >= figures_due_) {
    figures_due_ = now + kFigures;
    statistics = store_->statistics();
  }
  auto commits = background_->status();
  const bool stuck = commits.in_flight > kPatience;
  const shard::Shard& shard = pipeline_->shard();
  const std::lock_guard lock(mutex_);
  status_.state = trouble_ || stuck ? ShardState::kPaused : pipeline_->replaying() ? ShardState::kReplaying : ShardState::kRunning;
  status_.reason = trouble_ ? trouble_->message : stuck ? "a commit waits: " + commits.error : std::string();
  status_.position = pipeline_->position().offset;
  status_.log_end = log_end_;
  status_.replay_end = pipeline_->known_end().offset;
  status_.commit = pipeline_->settled_sequence();
  status_.behind_since = flight_since_ != kNoTime ? flight_since_ : open_since_;
  status_.high = shard.high();
  status_.next_timer = shard.next_timer();
  status_.lateness = pipeline_->definitions()->plan().lateness;
  status_.commits = std::move(commits);
  if (statistics) status_.store = *statistics;
  status_.progress = pipeline_->progress();
}

void LiveShard::wait_for_work() {
  const bool paused = Clock::now() < try_again_;
  if (!paused && !waits_ && (gave_way_ || chunk_waits_ || !at_end_)) return;
  if (caught_up_ && !mailbox_->empty()) return;
  const bool busy = waits_ || (!paused && pipeline_->shard().cache().freezing());
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, busy ? kWaiting : kIdle, [this] { return woken_ || stopping_; });
  woken_ = false;
}

}  // namespace segue::live
