// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/serving/shard_directory.h"
#include "lib/serving/transition_feed.h"
#include "services/live/live_options.h"
#include "services/live/live_shard.h"

namespace segue::live {

// The whole embedded engine: the shards of the log files in DIR/log, as long as the process lives. Its directory is the state directory of a replay
// (docs/formats/state-directory.md): profile, explain, dump and verify read it, and a replay of DIR/log gives the same.
class LiveEngine {
 public:
  // Requires DIR/LOCK (filelog::lock_directory); makes log files and state where there are none. kUsage: another log, or another number of
  // partitions than the directory was made with. `files` outlives it.
  static Result<std::unique_ptr<LiveEngine>> open(filelog::FileSystem& files, LiveOptions options);
  // Ends it as a crash would, unless stop() came before.
  ~LiveEngine();
  LiveEngine(const LiveEngine&) = delete;
  LiveEngine& operator=(const LiveEngine&) = delete;

  // Starts the shards; recovery goes on in the background.
  void start();
  // Ends every shard with a last commit and checkpoint, and waits for that, for the disk no longer than until `deadline`. Not from a shard's thread.
  void stop(Clock::time_point deadline);
  // The error of a shard that could not go on; it has stopped, the others run. `on_failure` is called by its thread, once.
  std::optional<Error> error() const;
  void on_failure(std::function<void()> call);

  // Any thread: the durable bytes of some partition have grown.
  void notice();
  // Any thread: these are to be in force from now on, after a restart too. kRetry when they cannot be stored.
  Result<> want(std::shared_ptr<const segment::Definitions> definitions);
  std::shared_ptr<const segment::Definitions> wanted() const;

  // Where reads go; a partition is in it once its shard has caught up with its last commit.
  serving::ShardDirectory& places() { return places_; }
  serving::TransitionFeed& feed() { return feed_; }
  const replay::StateDirectory& directory() const { return directory_; }
  // Absolute paths, by partition.
  const std::vector<std::string>& log_files() const { return directory_.logs; }
  std::vector<ShardStatus> statuses() const;
  // The longest time for which a shard's thread has not gone around.
  Clock::duration longest_turn() const;

 private:
  LiveEngine(filelog::FileSystem& files, LiveOptions options);
  Result<> open();
  void fail(Error error);

  filelog::FileSystem& files_;
  LiveOptions options_;
  replay::StateDirectory directory_;
  serving::ShardDirectory places_;
  serving::TransitionFeed feed_;

  std::mutex storing_;  // one want() at a time
  mutable std::mutex mutex_;
  // Guarded by mutex_
  std::shared_ptr<const segment::Definitions> wanted_;
  std::optional<Error> error_;
  std::function<void()> on_failure_;

  std::optional<Surroundings> around_;
  std::vector<std::unique_ptr<LiveShard>> shards_;  // before all that they stand on
};

}  // namespace segue::live
