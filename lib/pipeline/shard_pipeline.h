// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
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

// One shard's way from decoded chunks to commits and checkpoints. One thread at a time; progress() may be read by any.
//
// Commit: outputs, dead letters and the journal record, together, every commit_events events or commit_bytes of output. Checkpoint: frozen right
// after a commit, encoded in slices between batches, written by the store in the background, installed when done: it is never ahead of the last
// commit. Recovery: the last checkpoint, then the journal's records since, replayed with their outputs compared with the journal's checksums and
// dropped.
class ShardPipeline final : private shard::OutputSink {
 public:
  struct Options {
    std::string partition;                         // the log's name in dead letters
    size_t share = 0;                              // which of DecodedChunk::shares is ours
    bool tells_rejects = true;                     // of the shards over one log the first tells its dead letters
    size_t cache_profiles = 1'000'000;             // clean profiles in memory, about 1.5 KB each
    size_t batch_events = 2048;                    // applied between two looks at commit and checkpoint
    uint64_t commit_events = 500'000;              // about 0.7 s of a replay; two syncs take 10 to 20 ms of it
    size_t commit_bytes = size_t{64} << 20;        // of outputs
    uint64_t checkpoint_events = 1'000'000;        // less than two seconds of replay to catch up after a crash
    size_t dirty_profiles = 400'000;               // a checkpoint is forced at this many, and input waits for it
    size_t slice_profiles = 1024;                  // frozen ones encoded after each batch, at least: 0.3 us each, so that it waits less than 1 ms
    size_t max_timers = shard::Shard::kMaxTimers;  // fired in one batch (shard::Shard::Options)
  };

  // Store and commit port outlive the pipeline.
  ShardPipeline(Options options, std::shared_ptr<const segment::Definitions> definitions, std::array<uint8_t, 16> erasure_key, Store& store,
                CommitPort& commits);

  // Once, first. Reads checkpoint and journal. kUsage when the state was made with other definitions; kData when it is damaged.
  Result<> recover();
  // Where reading must start: the checkpoint's position after recover().
  Position position() const { return position_; }
  // Whether committed steps are still being replayed.
  bool replaying() const { return !pending_.empty(); }

  // Takes the next chunk of the log; what lies before position() is passed over. kData when a replayed commit differs from the journal.
  Result<> take(const DecodedChunk& chunk);
  // The log ends here (or the program does): commits, and checkpoints to the end. kData when the journal knows more than the log has.
  Result<> finish();

  const shard::Shard& shard() const { return shard_; }
  const Progress& progress() const { return progress_; }
  // Dead letters told since the log's beginning, by reason.
  const std::vector<uint64_t>& rejects() const { return rejects_; }

 private:
  struct Commit {
    std::string transitions;
    uint64_t transition_count = 0;
    std::string dead_letters;
    uint64_t dead_letter_count = 0;
  };
  // Where a pass over one chunk stands.
  struct Cursor {
    size_t next = 0;         // into our share
    size_t next_reject = 0;  // into the rejects
  };

  void take(const shard::Output& output) override;
  Result<> restore_state(const codec::ShardMeta& meta);
  Result<> restore_pages();
  Result<> read_journal();
  Cursor find(const DecodedChunk& chunk) const;
  Position end_of_stretch(const DecodedChunk& chunk) const;
  Result<> run_batch(const DecodedChunk& chunk, Cursor& cursor, Position stretch_end);
  Result<> load_wanted();
  Position reached(const DecodedChunk& chunk, Position stretch_end) const;
  void tell_rejects(const DecodedChunk& chunk, Cursor& cursor);
  Result<> settle();
  Result<> check_replayed();
  void clear_outputs();
  bool commit_is_due() const;
  Result<> commit();
  void freeze();
  Result<> advance_checkpoint(bool wait);
  Result<> checkpoint_if_due();
  void note_progress();

  const Options options_;
  const std::shared_ptr<const segment::Definitions> definitions_;
  Store& store_;
  CommitPort& commits_;
  const codec::OutputWriter writer_;
  shard::Shard shard_;
  const shard::ProfileCache::Keep keep_;  // a frozen profile's page into the store's collection

  Position position_;
  codec::JournalRecord last_;                 // the last commit, replayed ones included
  std::deque<codec::JournalRecord> pending_;  // committed before the crash, still to be replayed
  std::vector<uint64_t> rejects_ = std::vector<uint64_t>(event::kRejectReasons);
  Commit outputs_;  // since the last commit
  uint64_t events_since_commit_ = 0;
  uint64_t events_since_checkpoint_ = 0;
  uint64_t checkpointed_ = 0;  // sequence of the last commit that a checkpoint holds
  bool sealed_ = false;        // the frozen checkpoint is with the store's writer
  Progress progress_;
  shard::Totals counted_from_;  // as they stood when the process had caught up with the last commit

  std::vector<shard::Step> steps_;  // these are kept for their memory
  std::string key_;
  std::string page_;
  std::vector<std::string> keys_;
  std::vector<std::string_view> key_views_;
};

}  // namespace segue::pipeline
