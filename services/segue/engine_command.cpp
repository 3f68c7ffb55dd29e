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
  namespace log = telemetry::log;
  auto config = load_configuration(configuration);
  if (!config) return config.error();
  log::configure({.level = *log::parse_level(config->log.level), .format = *log::parse_format(config->log.format)});
  std::shared_ptr<const segment::Definitions> definitions = built_in_definitions();
  if (!config->definitions.empty()) {
    auto loaded = load_definitions(config->definitions);
    if (!loaded) return loaded.error();
    definitions = std::move(*loaded);
  }
  hold_signals();
  auto engine = engine::Engine::open(*config, std::move(definitions));
  if (!engine) return complain_about(engine.error());
  auto api = EngineApi::start(*config, **engine);
  if (!api) {
    complain_about(api.error());
    return api.error().kind == ErrorClass::kUsage ? kConfig : exit_code(api.error().kind);
  }
  if (*api) log::info("console and API", {{"address", (*api)->url()}});
  Result<> result;
  WatchedWork watched;
  watched.work = [&] { result = (*engine)->run(); };
  watched.stop = [&] {
    if (*api) (*api)->stop();
    (*engine)->stop();
  };
  watched.hangup = [&] { (*engine)->reload(!*api || (*api)->reload()); };
  run_watched(watched);
  if (result) return kOk;
  complain_about(result.error());
  // What a person has to mend before it can run: other numbers of partitions, another application's directory.
  return result.error().kind == ErrorClass::kUsage ? kConfig : exit_code(result.error().kind);
}

}  // namespace segue::program
