// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "lib/config/config.h"
#include "lib/filelog/log_writer.h"
#include "lib/filelog/posix_file_system.h"
#include "lib/http/server.h"
#include "lib/telemetry/reload_status.h"
#include "services/api/api.h"
#include "services/collector/collector.h"
#include "services/live/endpoints.h"
#include "services/live/live_engine.h"

namespace segue::program {

// Everything of `segue up` in one process: log, shards, and the services around them. open(), run() once; the rest from any thread.
class UpSession {
 public:
  // Why it did not open, and the exit code that says so.
  struct Refusal {
    Error error;
    int code = 0;
  };
  // `definitions`: null where the configuration names none.
  static tl::expected<std::unique_ptr<UpSession>, Refusal> open(const std::string& directory, config::Config config,
                                                                std::shared_ptr<const segment::Definitions> definitions);
  ~UpSession();
  UpSession(const UpSession&) = delete;
  UpSession& operator=(const UpSession&) = delete;

  // Until stop(), or the error of a shard that cannot go on.
  Result<> run();
  void stop();
  // Reads definitions, certificates, tokens and write keys again. What is wrong stays as it was.
  void reload();
  // What a person wants to know at the start: a line for each listener.
  std::string greeting() const;

 private:
  UpSession(std::string directory, config::Config config);
  Result<> open_log();
  Result<> open_engine(std::shared_ptr<const segment::Definitions> definitions);
  Result<> open_collector();
  Result<> listen();
  Result<> open_api();
  void add_collector_metrics(telemetry::MetricPage& page) const;
  bool reload_definitions();
  void stop_parts();
  live::LiveView look() const;
  http::Response livez() const;
  http::Response readyz() const;
  std::string metrics() const;

  const std::string directory_;
  const config::Config config_;
  filelog::PosixFileSystem files_;
  std::unique_ptr<filelog::FileLock> lock_;
  std::unique_ptr<filelog::LogWriter> writer_;    // null: others append to the log
  std::atomic<live::LiveEngine*> told_{nullptr};  // by the writer, of what has become durable
  std::unique_ptr<live::LiveEngine> engine_;
  std::atomic<live::Phase> phase_{live::Phase::kStarting};
  telemetry::ReloadStatus reload_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_

  const std::shared_ptr<http::RequestMetrics> requests_ = std::make_shared<http::RequestMetrics>();  // of collector and API
  std::unique_ptr<collector::Collector> collector_;                                                  // null: none
  std::unique_ptr<api::Api> api_;                                                                    // likewise
  std::unique_ptr<http::Server> server_;                                                             // last: asks the others
};

}  // namespace segue::program
