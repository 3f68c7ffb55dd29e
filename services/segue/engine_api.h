// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "lib/config/config.h"
#include "lib/kafka/event_producer.h"
#include "lib/kafka/output_topics.h"
#include "services/api/api.h"
#include "services/engine/engine.h"

namespace segue::program {

// The API over the shards that an engine in this process owns, what its erasures go through, and what it shows of all instances' outputs.
class EngineApi {
 public:
  // Null where the configuration wants none. `engine` outlives it.
  static Result<std::unique_ptr<EngineApi>> start(const config::Config& config, engine::Engine& engine);

  // Takes no more requests. Before the engine stops; once.
  void stop();
  std::string url() const { return api_->url(); }

 private:
  std::unique_ptr<kafka::EventProducer> erasures_;
  std::unique_ptr<kafka::OutputTopics> outputs_;
  std::unique_ptr<api::Api> api_;
};

}  // namespace segue::program
