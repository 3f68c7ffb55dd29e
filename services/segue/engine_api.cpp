// SPDX-License-Identifier: Apache-2.0
#include "services/segue/engine_api.h"

#include "lib/pipeline/version.h"
#include "services/engine/client_options.h"
#include "services/segue/live_api.h"

namespace segue::program {
namespace {

// For requests under way, and for erasures that the brokers have not acknowledged.
constexpr std::chrono::seconds kDrain{5};

// Definitions are brought into force by each engine's file: the API says so (409).
api::Surroundings engine_surroundings(engine::Engine& engine, intake::EventSink& erasures, kafka::OutputTopics& outputs,
                                      const std::string& instance) {
  api::Surroundings around{.directory = engine.places(), .feed = outputs.feed()};
  around.mode = api::Mode::kEngine;
  around.instance = instance;
  around.version = pipeline::kProgramVersion;
  around.sink = &erasures;
  around.definitions = [&engine] { return engine.definitions(); };
  around.dead_letters = [&outputs](int32_t partition, size_t limit, std::string_view reason) {
    return outputs.dead_letters(partition, limit, reason);
  };
  around.log_end = [&engine](int32_t partition) { return engine.log_end(partition); };
  return around;
}

}  // namespace

Result<std::unique_ptr<EngineApi>> EngineApi::start(const config::Config& config, engine::Engine& engine) {
  api::ApiOptions options = api_options(config.api);
  if (options.listen.empty() || options.listen == kNoListener) return nullptr;
  std::unique_ptr<EngineApi> made(new EngineApi);
  auto erasures = kafka::EventProducer::open(engine::client_options(config), {});
  if (!erasures) return tl::unexpected<Error>(std::move(erasures.error()));
  made->erasures_ = std::move(*erasures);
  made->outputs_ = std::make_unique<kafka::OutputTopics>(engine::client_options(config));
  options.metrics = engine.requests();
  auto api = api::Api::start(std::move(options), engine_surroundings(engine, *made->erasures_, *made->outputs_, config.instance));
  if (!api) return tl::unexpected<Error>(std::move(api.error()));
  made->api_ = std::move(*api);
  return made;
}

void EngineApi::stop() {
  api_->stop(kDrain);
  erasures_->stop(kDrain);
}

}  // namespace segue::program
