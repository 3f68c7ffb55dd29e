// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "lib/base/arena.h"
#include "lib/codec/event_decoder.h"
#include "lib/filelog/background_commits.h"
#include "lib/filelog/log_tail.h"
#include "lib/pipeline/shard_pipeline.h"
#include "lib/rocks/rocks_store.h"
#include "lib/serving/feeding_commits.h"
#include "lib/serving/shard_directory.h"
#include "lib/serving/shard_reader.h"
#include "services/live/live_options.h"
#include "services/live/shard_status.h"
#include "services/replay/state_directory.h"

namespace segue::live {

using Clock = std::chrono::steady_clock;

// What the shards of one engine share; outlives them.
struct Surroundings {
  filelog::FileSystem& files;
  const LiveOptions& options;
  const replay::StateDirectory& directory;
  std::shared_ptr<rocksdb::Cache> block_cache;
  serving::ShardDirectory& places;
  serving::TransitionFeed& feed;
  std::shared_ptr<serving::TransitionArchive> archive;
  std::function<std::shared_ptr<const segment::Definitions>()> wanted;
  std::function<void(Error)> fail;
};

// One partition of a log that grows, for ever, on a thread of its own: takes what the log has, follows the wall clock at its end, commits,
// checkpoints, and runs reads in between.
class LiveShard {
 public:
  LiveShard(const Surroundings& around, int32_t partition);
  // Ends it at once, as a crash would, unless stop() came before.
  ~LiveShard();
  LiveShard(const LiveShard&) = delete;
  LiveShard& operator=(const LiveShard&) = delete;

  void start();
  // Ends it with a last commit and checkpoint, waiting no longer than until `deadline` for the disk; join() waits for that.
  void stop(Clock::time_point deadline);
  void join();

  // Any thread: there is something to look at.
  void wake();
  ShardStatus status() const;
  // The last time that its thread went around.
  Clock::time_point last_turn() const { return Clock::time_point(Clock::duration(last_turn_.load(std::memory_order_relaxed))); }

 private:
  void run();
  Result<> open();
  void close(bool clean);

  Result<> turn(Clock::time_point now);
  Result<> take_log();
  Result<> read_log();
  void note_unfinished();
  Result<> step_clock();
  Result<> commit(Clock::time_point now);
  void note_submitted(Clock::time_point now);
  void note_checkpoints(Clock::time_point now);
  void run_reads(std::chrono::nanoseconds budget);
  void pause(Error error, Clock::time_point now);
  void publish(Clock::time_point now);
  void wait_for_work();

  const Surroundings& around_;
  const int32_t partition_;
  const std::string log_path_;

  // In the order of construction: the pipeline goes first.
  std::unique_ptr<rocks::RocksStore> store_;
  filelog::BackgroundCommits* background_ = nullptr;
  std::unique_ptr<pipeline::CommitPort> commits_;
  std::unique_ptr<serving::FeedingCommits> fed_commits_;
  std::unique_ptr<pipeline::ShardPipeline> pipeline_;
  std::unique_ptr<serving::ShardReader> reader_;
  std::shared_ptr<serving::ShardMailbox> mailbox_;
  std::unique_ptr<filelog::LogTail> tail_;

  codec::EventDecoder decoder_;
  filelog::Chunk chunk_;
  Arena arena_;
  pipeline::DecodedChunk decoded_;
  pipeline::DecodedChunk empty_;
  bool chunk_waits_ = false;  // decoded_ is not wholly taken
  bool at_end_ = false;       // everything was taken that the log had at asked_at_
  bool waits_ = false;        // for room
  bool gave_way_ = false;     // there is more to do at once
  bool caught_up_ = false;    // reads are answered
  Time asked_at_ = kNoTime;
  uint64_t log_end_ = 0;

  Clock::time_point last_commit_;
  uint64_t commit_seen_ = 0;     // last submitted
  Time open_since_ = kNoTime;    // the oldest that is in no submitted commit was read then
  Time flight_since_ = kNoTime;  // the oldest of the commit in flight
  Clock::time_point checkpoint_wanted_;
  uint64_t checkpointed_commit_ = 0;
  uint64_t checkpoints_seen_ = 0;
  std::optional<Clock::time_point> checkpoint_began_;
  std::optional<Error> trouble_;
  Clock::time_point try_again_;
  Clock::time_point published_;
  Clock::time_point figures_due_;

  std::atomic<Clock::rep> last_turn_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> clean_{false};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  bool woken_ = false;
  Clock::time_point deadline_;
  ShardStatus status_;

  std::thread thread_;
};

}  // namespace segue::live
