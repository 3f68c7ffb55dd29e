// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/filelog/posix_file_system.h"
#include "lib/http/server.h"
#include "services/engine/background.h"
#include "services/engine/context.h"
#include "services/engine/end_watcher.h"
#include "services/engine/endpoints.h"
#include "services/engine/partition_table.h"
#include "services/engine/snapshotter.h"
#include "services/engine/standby.h"
#include "services/engine/totals.h"
#include "services/engine/worker.h"

namespace segue::engine {

// The whole of `segue engine`: from a configuration to shards that run, and back to a directory at rest.
class Engine {
 public:
  // `definitions`: what the configuration names. Locks the state directory and listens for HTTP; asks no broker yet.
  static Result<std::unique_ptr<Engine>> open(config::Config config, std::shared_ptr<const segment::Definitions> definitions);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Waits for the topics, joins the group, and returns after stop() or an error that the process cannot live with.
  Result<> run();
  // From any thread.
  void stop();
  // From any thread: reads the definitions file again. The old ones stay where it is wrong. `others_were_right`: what else is read again with it was.
  void reload(bool others_were_right);
  // Where reads of this process's shards go. Any thread.
  serving::ShardDirectory& places() { return context_.places; }
  // Shown among the metrics.
  std::shared_ptr<http::RequestMetrics> requests() { return context_.requests; }
  // Those that every shard should have in force. From any thread.
  std::shared_ptr<const segment::Definitions> definitions() const { return context_.definitions->get(); }
  // Of the input, as last seen; of a partition that is held here. From any thread.
  std::optional<uint64_t> log_end(int32_t partition) const;
  // Where HTTP is served; empty where it is not.
  std::string address() const;

 private:
  Engine(config::Config config, std::shared_ptr<const segment::Definitions> definitions);
  Result<> listen();
  Result<> wait_for_topics(kafka::TopicInspector& inspector);
  bool input_has_grown(const kafka::TopicPartitions& counts);
  Result<> start_parts(std::unique_ptr<kafka::TopicInspector> inspector);
  void stop_parts();
  void fail(Error error);
  bool wait_for_stop(std::chrono::milliseconds time);

  EngineView look() const;
  http::Response livez() const;
  http::Response readyz();
  std::string metrics();

  Context context_;
  filelog::PosixFileSystem files_;
  std::unique_ptr<filelog::FileLock> lock_;
  PartitionTable table_;
  Totals totals_;
  telemetry::ReloadStatus reload_;
  std::unique_ptr<Background> openers_;
  std::unique_ptr<Background> closers_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Snapshotter> snapshotter_;
  std::unique_ptr<Standby> standby_;
  std::unique_ptr<EndWatcher> end_watcher_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  bool stopping_ = false;
  std::optional<Error> error_;
  std::string waits_for_;  // why it is not running yet

  std::atomic<EnginePhase> phase_{EnginePhase::kStarting};
  std::unique_ptr<http::Server> server_;  // last: asks the others
};

}  // namespace segue::engine
