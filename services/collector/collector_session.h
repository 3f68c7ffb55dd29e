// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/filelog/log_writer.h"
#include "lib/filelog/posix_file_system.h"
#include "lib/http/server.h"
#include "lib/kafka/client_options.h"
#include "lib/kafka/event_producer.h"
#include "lib/telemetry/reload_status.h"
#include "services/collector/collector.h"

namespace segue::collector {

// `segue collector`: a collector with its sink, and its own health and metrics. open(), run() once; stop() from any thread.
class CollectorSession {
 public:
  // Into the log of collector.log, or into Kafka with `client`. Listens.
  static Result<std::unique_ptr<CollectorSession>> open(const config::Config& config, const kafka::ClientOptions& client);
  ~CollectorSession();
  CollectorSession(const CollectorSession&) = delete;
  CollectorSession& operator=(const CollectorSession&) = delete;

  // Until stop(), which answers what was accepted first; or the error of a sink that is of no more use.
  Result<> run();
  void stop();
  // Reads certificate, key and write keys again. What is wrong stays as it was. From any thread.
  void reload();

 private:
  explicit CollectorSession(const config::Config& config) : config_(config) {}
  Result<> open_sink(const kafka::ClientOptions& client);
  Result<> listen();
  http::Response readyz() const;
  std::string metrics() const;

  const config::Config config_;
  filelog::PosixFileSystem files_;
  std::unique_ptr<filelog::FileLock> lock_;
  std::shared_ptr<http::RequestMetrics> request_metrics_;
  telemetry::ReloadStatus reload_;
  std::unique_ptr<filelog::LogWriter> log_;  // one of the two
  std::unique_ptr<kafka::EventProducer> producer_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_
  std::atomic<bool> draining_{false};

  std::unique_ptr<Collector> collector_;
  std::unique_ptr<http::Server> health_;  // last: asks the others
};

}  // namespace segue::collector
