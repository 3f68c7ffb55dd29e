// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/kafka/partition_commits.h"
#include "lib/pipeline/shard_pipeline.h"
#include "lib/rocks/rocks_store.h"
#include "lib/rocks/snapshots.h"
#include "lib/serving/shard_reader.h"
#include "services/engine/context.h"
#include "services/engine/input_chunk.h"
#include "services/engine/partition_view.h"

namespace segue::engine {

using Clock = std::chrono::steady_clock;

// One partition's shard with all that it stands on: store, commits, pipeline, and the chunks that wait for it. One thread at a time; it is handed
// from an opener to a worker to a closer by its only pointer.
class Partition {
 public:
  // With so many chunks queued, fetching is paused until the queue is empty.
  static constexpr size_t kMostChunks = 3;
  // Records of the journal that wait in memory to be replayed, some 400 bytes each: the rest of a long journal is read when they are done.
  static constexpr size_t kMostPendingCommits = 10'000;

  // `context` and `view` outlive it.
  Partition(const Context& context, int32_t number, std::shared_ptr<PartitionView> view);
  ~Partition();
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  int32_t number() const { return number_; }
  PartitionView& view() { return *view_; }

  // ---- on an opener

  // Fences the previous owner, opens the newest valid state and reads the journal behind it. `membership` and `on_settled` are the worker's. kRetry:
  // a broker or disk is away, call again later; kStop and kData: never.
  Result<> open(std::shared_ptr<const kafka::GroupMembership> membership, std::function<void()> on_settled);
  // For a standby: opens the state, fences nobody, and leaves the journal to follow().
  Result<> open_to_follow();
  // After open_to_follow(): fences the owner and goes on from here.
  bool is_following() const { return following_; }
  Result<> take_over(std::shared_ptr<const kafka::GroupMembership> membership, std::function<void()> on_settled);
  // What was opened is let go of. After kData the state is renamed aside by the next open().
  void close();
  // The state proved to be damaged while it was worked with.
  void note_damage();
  // Damage that a standby met does not count for an owner: it tries again.
  void forgive_damages() { damages_ = 0; }

  // ---- on a worker

  // Where fetching goes on: behind what is queued.
  uint64_t next_offset() const { return next_offset_; }
  void push(std::unique_ptr<InputChunk> chunk);
  // The reader has handed over everything before `offset`. What lies behind the last record (control records) is queued as a chunk without records:
  // the position must not stay before offsets that retention takes.
  void note_end(uint64_t offset);
  // The broker was asked after `asked_at`, and its log ended at `high_watermark`.
  void note_watermark(Time asked_at, uint64_t high_watermark);
  bool queue_is_full() const { return queue_.size() >= kMostChunks; }
  bool queue_is_empty() const { return queue_.empty(); }

  // Goes on with everything that can be gone on with and does not wait: commits, queued chunks, replay, sweep, clock. `backlog`: more input is ready
  // than was polled, so that commits may be fewer.
  Result<> advance(Clock::time_point now, bool backlog);
  // Something is ready that had no room: a commit in flight or a checkpoint has to end first.
  bool waits() const { return waits_; }
  // There is more to go on with that does not wait: it was left so that others have their turn.
  bool gave_way() const { return gave_way_; }
  // Called between two batches of advance(), until close().
  void between_batches(std::function<void()> between) { between_ = std::move(between); }
  // Writes the status into the view; cheap ones each time, the rest twice a second.
  void publish(Clock::time_point now);
  // Shown instead of the state that the pipeline is in; empty: that state again.
  void show(PartitionState state, std::string reason);
  void show_normal() { shown_.reset(); }
  // Answers reads that wait, for about `budget`, once the shard has caught up with its last commit; before that there is nowhere to leave any.
  void run_reads(std::chrono::nanoseconds budget);
  bool has_reads() const { return mailbox_ && !mailbox_->empty(); }
  // Sends away who reads here, until run_reads() is called again.
  void end_reads();
  // The commits ended because another owner writes.
  bool was_fenced() const { return commits_ && commits_->status().fenced; }
  uint64_t settled_commits() const { return pipeline_ ? pipeline_->settled_sequence() : 0; }

  // ---- on a closer

  // A clean end: commits and checkpoints what there is, but waits no longer than until `deadline` for the broker.
  void finish(Clock::time_point deadline);

  // ---- on a standby

  Result<> follow(codec::JournalRecord record, uint64_t place);
  // Of the last journal record known: reading goes on there, and finds it first.
  uint64_t known_commit() const { return pipeline_->known_sequence(); }
  uint64_t known_place() const { return pipeline_->known_place(); }
  bool knows_its_beginning() const { return pipeline_->known_sequence() > 0; }
  // Records of the journal that wait for their input.
  size_t pending_commits() const { return pipeline_->pending_commits(); }
  bool waits_for_checkpoint() const { return waits_ && pipeline_->replaying(); }
  // Takes queued chunks up to the end of the known journal.
  Result<> advance_followed(Clock::time_point now);

 private:
  using Fencing = std::future<Result<std::unique_ptr<kafka::PartitionCommits>>>;

  // partition_open.cpp
  Fencing begin_fencing(std::shared_ptr<const kafka::GroupMembership> membership, std::function<void()> on_settled) const;
  Result<> end_fencing(Fencing& fencing);
  Result<> open_once(Fencing& fencing);
  Result<kafka::Watermarks> prepare_state(Fencing& fencing);
  Result<std::optional<uint64_t>> open_store();
  Result<> choose_and_restore(Fencing& fencing, const kafka::Watermarks& watermarks, std::optional<uint64_t> own);
  Result<std::optional<rocks::Snapshot>> find_snapshot();
  std::string restored_path() const { return context_.state_path(number_) + ".restored"; }
  Result<> restore(const rocks::Snapshot& snapshot);
  Result<> put_in_place();
  Result<> clear_place(bool has_state);
  Result<std::optional<uint64_t>> first_position();
  Result<> make_pipeline(uint64_t log_begin);
  Result<> move_damaged_aside();
  Result<> check_input(kafka::Watermarks watermarks);
  void begin_work();

  // partition.cpp
  Result<> go_on(Clock::time_point now, bool backlog);
  Result<> take_queue();
  void note_unfinished();
  Result<> read_journal_on();
  Result<> step_clock();
  Result<> commit(Clock::time_point now, bool backlog);
  void note_submitted();
  void note_checkpoints(Clock::time_point now);
  Time uncommitted_since() const;
  PartitionState state(const kafka::CommitStatus& commits) const;

  const Context& context_;
  const int32_t number_;
  const std::shared_ptr<PartitionView> view_;

  // In the order of construction: the pipeline goes first.
  std::unique_ptr<rocks::RocksStore> store_;
  std::unique_ptr<kafka::PartitionCommits> commits_;
  std::unique_ptr<pipeline::ShardPipeline> pipeline_;
  std::unique_ptr<serving::ShardReader> reader_;
  std::shared_ptr<serving::ShardMailbox> mailbox_;  // null: nobody can read here
  std::function<void()> between_;
  std::function<void()> wake_;                                                 // the worker
  std::future<Result<std::vector<pipeline::ShardPipeline::Placed>>> stretch_;  // of a long journal, being read
  bool following_ = false;
  bool damaged_ = false;
  int damages_ = 0;                          // in a row
  uint64_t damaged_at_ = 0;                  // the last commit before the last of them
  std::string restored_from_;                // id of the snapshot that the state came from; empty: it was here
  std::set<std::string> damaged_snapshots_;  // ids

  std::deque<std::unique_ptr<InputChunk>> queue_;
  InputChunk empty_;
  uint64_t next_offset_ = 0;
  uint64_t end_offset_ = 0;
  uint64_t low_watermark_ = 0;  // as at the opening of what is followed
  bool waits_ = false;          // for room
  bool gave_way_ = false;

  struct Watermark {
    Time asked_at = kNoTime;
    uint64_t offset = 0;
  };
  std::optional<Watermark> watermark_;  // for a step of the clock
  std::optional<uint64_t> high_watermark_;

  Time taken_until_ = kNoTime;   // when the log took the newest chunk that was taken
  Time open_since_ = kNoTime;    // the oldest that is in no submitted commit
  Time flight_since_ = kNoTime;  // the oldest of the commit in flight
  uint64_t commit_seen_ = 0;     // last submitted

  Clock::time_point last_commit_;
  Clock::time_point checkpoint_wanted_;  // when one is made though few events came
  uint64_t checkpointed_commit_ = 0;
  std::optional<Clock::time_point> checkpoint_began_;
  std::chrono::nanoseconds checkpoint_time_{0};
  Time checkpoint_at_ = kNoTime;
  uint64_t checkpoints_seen_ = 0;

  Clock::time_point figures_due_;
  kafka::CommitStatus commit_status_;
  std::optional<PartitionState> shown_;
  std::string shown_reason_;
};

}  // namespace segue::engine
