// SPDX-License-Identifier: Apache-2.0
#include "lib/telemetry/log.h"
#include "services/engine/engine.h"
#include "services/segue/commands.h"
#include "services/segue/configuration_file.h"
#include "services/segue/console.h"
#include "services/segue/definitions_file.h"
#include "services/segue/engine_api.h"
#include "services/segue/interruption.h"

namespace segue::program {

int run_engine(const std::string& configuration) {
  auto config = start_configuration(configuration);
  if (!config) return config.error();
  auto definitions = load_or_built_in_definitions(config->definitions);
  if (!definitions) return definitions.error();
  hold_signals();
  auto engine = engine::Engine::open(*config, std::move(*definitions));
  if (!engine) return complain_about(engine.error());
  auto api = EngineApi::start(*config, **engine);
  if (!api) return complain_about_setup(api.error());
  if (*api) telemetry::log::info("console and API", {{"address", (*api)->url()}});
  Result<> result;
  WatchedWork watched;
  watched.work = [&] { result = (*engine)->run(); };
  watched.stop = [&] {
    if (*api) (*api)->stop();
    (*engine)->stop();
  };
  watched.hangup = [&] { (*engine)->reload(!*api || (*api)->reload()); };
  run_watched(watched);
  // A mistake here is other numbers of partitions, another application's directory.
  return result ? static_cast<int>(kOk) : complain_about_setup(result.error());
}

}  // namespace segue::program
