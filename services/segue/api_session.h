// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "lib/base/hash.h"
#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/http/server.h"
#include "lib/kafka/event_producer.h"
#include "lib/kafka/output_topics.h"
#include "lib/telemetry/reload_status.h"
#include "services/api/api.h"
#include "services/engine/reload.h"
#include "services/segue/instance_watch.h"

namespace segue::program {

// `segue api`: the API without shards, over the instances that have them, and its own health and metrics. open(), run() once; the others from any
// thread.
class ApiSession {
 public:
  // Listens; asks no broker yet.
  static Result<std::unique_ptr<ApiSession>> open(const config::Config& config, std::shared_ptr<const segment::Definitions> definitions);
  ~ApiSession();
  ApiSession(const ApiSession&) = delete;
  ApiSession& operator=(const ApiSession&) = delete;

  // Until stop(); or the error of a producer that is of no more use.
  Result<> run();
  void stop();
  // Reads definitions, certificate and tokens again. What is wrong stays as it was.
  void reload();
  std::string url() const { return api_->url(); }

 private:
  ApiSession(const config::Config& config, std::shared_ptr<const segment::Definitions> definitions);
  Result<> start_api();
  Result<> listen();
  http::Response readyz() const;
  std::string metrics() const;

  const config::Config config_;
  engine::WantedDefinitions definitions_;
  telemetry::ReloadStatus reload_;
  serving::ShardDirectory directory_;
  const std::shared_ptr<http::RequestMetrics> requests_ = std::make_shared<http::RequestMetrics>();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_

  std::unique_ptr<kafka::EventProducer> erasures_;
  std::unique_ptr<kafka::OutputTopics> outputs_;
  std::unique_ptr<InstanceWatch> watch_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<http::Server> health_;  // last: asks the others
};

}  // namespace segue::program
