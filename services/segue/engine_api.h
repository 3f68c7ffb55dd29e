// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "lib/config/config.h"
#include "lib/kafka/event_producer.h"
#include "lib/kafka/output_topics.h"
#include "services/api/api.h"
#include "services/engine/engine.h"
#include "services/segue/instance_watch.h"

namespace segue::program {

// Where others reach an API that listens there: empty, with the reason, where they do not. kUsage: an address that nobody can be reached at.
struct Advertised {
  std::string address;
  std::string reason;
};
Result<Advertised> advertised_address(const config::ApiConfig& config, const http::ListenAddress& listens);

// The API over the shards that an engine in this process owns, what its erasures go through, what it shows of all instances' outputs, and its way to
// the other instances.
class EngineApi {
 public:
  // Null where the configuration wants none. `engine` outlives it.
  static Result<std::unique_ptr<EngineApi>> start(const config::Config& config, engine::Engine& engine);

  ~EngineApi();
  EngineApi(const EngineApi&) = delete;
  EngineApi& operator=(const EngineApi&) = delete;

  // Takes no more requests. Before the engine stops; once.
  void stop();
  // Reads certificate, key and tokens again; false: something was wrong and stays as it was.
  bool reload() { return api_->reload(); }
  std::string url() const { return api_->url(); }

 private:
  EngineApi() = default;

  std::unique_ptr<kafka::EventProducer> erasures_;
  std::unique_ptr<kafka::OutputTopics> outputs_;
  std::unique_ptr<api::Api> api_;
  // Asked by the API until it has stopped; made after it, as the others are told where it listens.
  std::atomic<InstanceWatch*> known_{nullptr};
  std::unique_ptr<InstanceWatch> watch_;
};

}  // namespace segue::program
