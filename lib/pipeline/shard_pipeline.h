// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/codec/output_json.h"
#include "lib/codec/state_keys.h"
#include "lib/pipeline/commit_port.h"
#include "lib/pipeline/decoded_chunk.h"
#include "lib/pipeline/progress.h"
#include "lib/pipeline/store.h"
#include "lib/shard/shard.h"

namespace segue::pipeline {

// What a shard begins with that has neither state nor journal. Its first commit writes this down; every later life reads it there.
struct Genesis {
  std::shared_ptr<const segment::Definitions> definitions;
  std::array<uint8_t, 16> erasure_key = {};
  Position position;  // where the log begins
};

// One shard's way from decoded chunks to commits and checkpoints. One thread at a time; progress() may be called by any.
//
// Life: recover() reads the last checkpoint. Then either own(): the journal's records since are replayed, their outputs compared with the journal's
// checksums and dropped, and after that it commits by itself. Or follow(), any number of times: a standby replays another owner's commits; own() may
// come later.
// Commit: outputs, dead letters and the journal record, together. One is in flight while the next batch is worked on. The steps of a commit are, in
// this order: new definitions, a stretch of their sweep, a stretch of the log, a step of the wall clock; each may be absent
// (docs/formats/journal.md). Checkpoint: frozen right behind a commit, encoded in slices between batches, written by the store in the background, and
// installed once that commit is settled: it is never ahead of the last commit. Room: nothing here waits, but for make_room() and finish(). Where a
// commit or a checkpoint has to be waited for, the calls that take steps say so.
class ShardPipeline final : private shard::OutputSink {
 public:
  struct Options {
    std::string partition;                         // the log's name in dead letters
    size_t share = 0;                              // which of DecodedChunk::shares is ours
    bool tells_rejects = true;                     // of the shards over one log the first tells its dead letters
    size_t cache_profiles = 1'000'000;             // clean profiles in memory, about 1.5 KB each
    size_t batch_events = 2048;                    // applied between two looks at commit and checkpoint
    bool commit_outputs_at_once = false;           // a commit as soon as there are outputs and none is in flight
    uint64_t commit_events = 500'000;              // about 0.7 s of a replay; two syncs take 10 to 20 ms of it
    size_t commit_outputs = SIZE_MAX;              // in one commit; a batch may go beyond
    size_t commit_bytes = size_t{64} << 20;        // of outputs
    uint64_t checkpoint_events = 1'000'000;        // less than two seconds of replay to catch up after a crash
    size_t dirty_profiles = 400'000;               // a checkpoint is forced at this many, and input waits for it
    size_t slice_profiles = 1024;                  // frozen ones encoded after each batch, at least: 0.3 us each, so that it waits less than 1 ms
    bool vectors = false;                          // interest vectors in memory (shard::Shard::Options): where users are served
    size_t slice_audiences = 256;                  // parts of the audience index likewise: up to 2 us each
    size_t max_timers = shard::Shard::kMaxTimers;  // fired in one batch (shard::Shard::Options)
    size_t sweep_users = 2048;                     // evaluated in one batch of a sweep
    size_t call_batches = SIZE_MAX;                // after so many a call that takes steps returns, for others to have their turn: gave_way()
    size_t pending_commits = SIZE_MAX;             // of a journal that is replayed, in memory; the rest is read in stretches
  };

  // A record of the journal and its place there.
  struct Placed {
    codec::JournalRecord record;
    uint64_t place = 0;
  };
  // A stretch of the journal: what follows the record `after`, which `place` finds, up to `until`, and at most `most`.
  struct JournalStretch {
    uint64_t after = 0;
    uint64_t place = 0;
    uint64_t until = 0;
    size_t most = 0;
  };

  // The store outlives the pipeline.
  ShardPipeline(Options options, Genesis genesis, Store& store);

  // Once, first: reads the checkpoint. kData when it is damaged.
  Result<> recover();
  // Commits go through this port from now on; it outlives the pipeline. Reads what its journal has beyond what is known, to its end, and keeps the
  // first Options::pending_commits of it. kData when journal and checkpoint disagree. May be called again after an error.
  Result<> own(CommitPort& commits);
  // What has to be read next of a journal that own() did not keep whole; empty while enough is there. Nothing goes on when all that was kept is
  // replayed: take() is false until take_stretch() was called.
  std::optional<JournalStretch> wanted_stretch() const;
  // Reads it, on any thread; the port's owner must not use the port meanwhile, but for asking whether a commit is settled.
  static Result<std::vector<Placed>> read(CommitPort& commits, const JournalStretch& stretch);
  Result<> take_stretch(std::vector<Placed> records);
  // Records in memory that wait to be replayed: a standby reads no more of the journal while there are many.
  size_t pending_commits() const { return pending_.size(); }
  // The next record of another owner's journal, and its place there; one that is known already is passed over. Chunks may then be taken up to its
  // `next`.
  Result<> follow(codec::JournalRecord record, uint64_t place);
  // Definitions that are to be in force: those of the genesis unless told otherwise. They are brought into force by a commit as soon as this shard is
  // its own owner and has caught up; then every user is evaluated, before the next event (cause "definitions").
  void want(std::shared_ptr<const segment::Definitions> definitions) { wanted_ = std::move(definitions); }

  // `seen` gets each replayed commit with its outputs, once they were found to be those of the journal.
  using ReplayObserver = std::function<Result<>(const codec::JournalRecord&, const Outputs&)>;
  void observe_replay(ReplayObserver seen) { observer_ = std::move(seen); }

  // Called behind each batch, of a chunk, a sweep or a step of the clock, by a function that is quick and changes nothing. There the shard may be
  // read, unless it is replaying().
  void on_batch_end(std::function<void()> look) { look_ = std::move(look); }

  // Where reading goes on.
  Position position() const { return position_; }
  // Committed steps are still being replayed.
  bool replaying() const { return !pending_.empty() || journal_end_; }
  // Where the last replayed commit that is known ends: a standby takes chunks up to here.
  Position known_end() const { return journal_end_ ? journal_end_->next : newest().next; }
  uint64_t known_sequence() const { return newest().sequence; }
  // A place in the journal that finds that commit and all behind it (CommitPort::for_each_since).
  uint64_t known_place() const { return pending_.empty() ? last_place_ : pending_.back().place; }
  bool sweeping() const { return sweep_ != codec::kNoSweep; }

  // Takes the chunk; what lies before position() is passed over. False: stopped for lack of room, call again with the same chunk later. A chunk that
  // begins and ends at position() drives what needs no input. kData when a replayed commit differs from the journal.
  Result<bool> take(const DecodedChunk& chunk);
  // The same, waiting for room where there is none.
  Result<> take_all(const DecodedChunk& chunk);
  // A step of the wall clock. Requires that the log was taken up to an end that was seen after this time. False: not or not wholly done, for lack of
  // room, or because older steps come first; call again later, perhaps after more input.
  Result<bool> advance_clock(Time to);
  // Submits what is not committed yet, where nothing is in flight.
  Result<> flush();
  // Looks after the commit in flight and the checkpoint. kStop when another owner has the shard.
  Result<> poll();
  // Waits until there is room again.
  Result<> make_room();
  // The last call of take() or advance_clock() gave false for the sake of others (Options::call_batches): call again, there is nothing to wait for.
  bool gave_way() const { return gave_way_; }
  // A checkpoint as soon as possible.
  void request_checkpoint() { checkpoint_requested_ = true; }
  // The log ends here (or the program does): commits, checkpoints, and waits for both. kData when the journal knows more than the log has.
  Result<> finish();

  // Valid after recover() where there was a checkpoint, else after own() or the first follow().
  bool started() const { return shard_.has_value(); }
  const shard::Shard& shard() const { return *shard_; }
  const std::shared_ptr<const segment::Definitions>& definitions() const { return definitions_; }
  const std::array<uint8_t, 16>& erasure_key() const { return genesis_.erasure_key; }
  const codec::JournalRecord& last_commit() const { return last_; }
  // Commits known to be durable: all but the one in flight.
  uint64_t settled_sequence() const { return settled_; }
  bool in_flight() const { return in_flight_; }
  // Steps were taken that no submitted commit has.
  bool has_uncommitted() const;
  // Among them are some that let outputs out.
  bool has_outputs() const { return !next_.outputs.empty(); }
  // Of the definitions in force: another object after new ones. Any thread may call this.
  std::shared_ptr<const Progress> progress() const { return published_progress_.load(); }
  // Dead letters told since the log's beginning, by reason.
  const std::vector<uint64_t>& rejects() const { return rejects_; }

 private:
  // Where a pass over one chunk stands.
  struct Cursor {
    size_t next = 0;         // into our share
    size_t next_reject = 0;  // into the rejects
  };

  // Recovery (shard_recovery.cpp)
  void start(std::shared_ptr<const segment::Definitions> definitions);
  Result<> restore(const codec::ShardMeta& meta, std::string_view definitions, std::string_view erasure_key);
  Result<> restore_pages(bool has_audiences);
  Result<> restore_audiences();
  Result<> start_from(const codec::JournalRecord& first);
  Result<> accept(const codec::JournalRecord& record, uint64_t place);
  static Result<> check_chain(const codec::JournalRecord& before, const codec::JournalRecord& record);
  const codec::JournalRecord& newest() const { return pending_.empty() ? last_ : pending_.back().record; }
  Result<> check_replayed();

  // The way of a chunk (shard_pipeline.cpp)
  void take(const shard::Output& output) override;
  Cursor find(const DecodedChunk& chunk) const;
  bool at_end(const DecodedChunk& chunk) const;
  Position end_of_stretch(const DecodedChunk& chunk) const;
  Result<> run_batch(const DecodedChunk& chunk, Cursor& cursor, Position stretch_end);
  Result<> run_timers(Time high, bool is_clock_step);
  Result<bool> finish_timers();
  void begin_call();
  bool give_way();
  uint64_t cut_timers() const;
  Result<> check_end_of_replayed();
  Result<> load_wanted();
  Position reached(const DecodedChunk& chunk, Position stretch_end) const;
  void tell_rejects(const DecodedChunk& chunk, Cursor& cursor);
  Result<> after_batch();

  // Definitions (shard_activation.cpp)
  Result<bool> take_other_steps();
  Result<bool> activate(std::shared_ptr<const segment::Definitions> definitions);
  Result<> sweep(shard::UserNumber to);

  // Commit and checkpoint (shard_commit.cpp)
  bool has_room() const;
  bool commit_is_full() const;
  bool commit_is_due() const;
  Result<> submit();
  Result<> look_at_commit();
  void forget_outputs();
  bool checkpoint_is_due() const;
  Result<> checkpoint_if_due();
  void freeze();
  Result<> advance_checkpoint(bool wait);
  void note_progress();
  void show(std::shared_ptr<Progress> progress);

  const Options options_;
  Genesis genesis_;  // as found, once started
  Store& store_;
  CommitPort* commits_ = nullptr;
  std::shared_ptr<const segment::Definitions> wanted_;
  std::shared_ptr<const segment::Definitions> definitions_;  // in force
  std::optional<codec::OutputWriter> writer_;
  std::optional<shard::Shard> shard_;
  const shard::ProfileCache::Keep keep_;        // a frozen profile's page into the store's collection
  const audience::Index::Keep keep_audiences_;  // a frozen part of the audience index likewise

  Position position_;
  codec::JournalRecord last_;   // the last commit, submitted or replayed
  uint64_t last_place_ = 0;     // in the journal, of the last settled one
  std::deque<Placed> pending_;  // committed by an earlier life or another owner, still to be replayed
  // The journal's last record, where records between newest() and it were left unread.
  std::optional<codec::JournalRecord> journal_end_;
  uint32_t sweep_ = codec::kNoSweep;  // users with a lower number were evaluated under the definitions in force
  std::string activated_text_;        // of definitions that the next commit brings into force
  size_t call_batches_ = 0;           // of the running call
  bool gave_way_ = false;
  bool clock_stepped_ = false;  // by the wall clock, since the last commit: no event may follow within it
  bool in_flight_ = false;      // last_ is submitted, not settled
  uint64_t settled_ = 0;        // sequence
  std::vector<uint64_t> rejects_ = std::vector<uint64_t>(event::kRejectReasons);
  Commit next_;  // its outputs: since the last commit
  uint64_t events_since_commit_ = 0;
  uint64_t events_since_checkpoint_ = 0;
  uint64_t commits_made_ = 0;  // in this life
  uint64_t checkpointed_ = 0;  // sequence of the last commit that a frozen or installed checkpoint holds
  bool checkpoint_requested_ = false;
  bool sealed_ = false;                 // the frozen checkpoint is with the store's writer
  std::shared_ptr<Progress> progress_;  // never null
  std::atomic<std::shared_ptr<const Progress>> published_progress_;
  ReplayObserver observer_;
  std::function<void()> look_;
  shard::Totals counted_from_;  // as they stood when the process had caught up with the last commit

  std::vector<shard::Step> steps_;  // these are kept for their memory
  std::string key_;
  std::string page_;
  std::string shape_page_;
  Result<> shaped_;  // an error: a profile in memory that new definitions could not shape
  std::vector<std::string> keys_;
  std::vector<std::string_view> key_views_;
};

}  // namespace segue::pipeline
