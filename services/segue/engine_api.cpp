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

Result<Advertised> advertised_address(const config::ApiConfig& config, const http::ListenAddress& listens) {
  if (!config.advertise.empty()) {
    auto address = http::parse_server_address(config.advertise);
    if (!address) return fail(ErrorClass::kUsage, "api.advertise: " + address.error().message);
    if (http::is_wildcard(*address)) return fail(ErrorClass::kUsage, "api.advertise: nobody is reached at " + config.advertise);
    return Advertised{http::to_string(*address), {}};
  }
  if (http::is_wildcard(listens))
    return Advertised{{}, "api.listen is every address of this machine: api.advertise must say at which others reach it"};
  return Advertised{http::to_string(listens), {}};
}

Result<std::unique_ptr<EngineApi>> EngineApi::start(const config::Config& config, engine::Engine& engine) {
  if (!config::is_served(config.api)) return nullptr;
  api::ApiOptions options = api_options(config.api);
  std::unique_ptr<EngineApi> made(new EngineApi);
  auto erasures = kafka::EventProducer::open(engine::client_options(config), {});
  if (!erasures) return tl::unexpected<Error>(std::move(erasures.error()));
  made->erasures_ = std::move(*erasures);
  made->outputs_ = std::make_unique<kafka::OutputTopics>(engine::client_options(config));
  options.metrics = engine.requests();
  options.ask_others = true;
  auto around = engine_surroundings(engine, *made->erasures_, *made->outputs_, config.instance);
  around.instances = [&known = made->known_] {
    const InstanceWatch* const watch = known;
    return watch == nullptr ? api::InstanceView{} : watch->view();
  };
  auto api = api::Api::start(std::move(options), std::move(around));
  if (!api) return tl::unexpected<Error>(std::move(api.error()));
  made->api_ = std::move(*api);
  auto advertised = advertised_address(config.api, made->api_->address());
  if (!advertised) return tl::unexpected<Error>(std::move(advertised.error()));
  InstanceWatch::Options watch{.client = engine::client_options(config), .topic = config.kafka.instances, .instance = config.instance};
  watch.address = advertised->address;
  watch.no_address = advertised->reason;
  watch.definitions = [&engine] { return engine.definitions()->hash(); };
  made->watch_ = std::make_unique<InstanceWatch>(std::move(watch), engine.places());
  made->known_ = made->watch_.get();
  return made;
}

// The API asks the others.
EngineApi::~EngineApi() { api_.reset(); }

void EngineApi::stop() {
  // The others ask no more, then nobody does.
  watch_->stop();
  api_->stop(kDrain);
  erasures_->stop(kDrain);
}

}  // namespace segue::program
