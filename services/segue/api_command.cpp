// SPDX-License-Identifier: Apache-2.0
#include "lib/telemetry/log.h"
#include "services/segue/api_session.h"
#include "services/segue/commands.h"
#include "services/segue/configuration_file.h"
#include "services/segue/console.h"
#include "services/segue/definitions_file.h"
#include "services/segue/interruption.h"

namespace segue::program {

int run_api(const std::string& configuration) {
  namespace log = telemetry::log;
  auto config = load_configuration(configuration, config::Purpose::kClient);
  if (!config) return config.error();
  log::configure({.level = *log::parse_level(config->log.level), .format = *log::parse_format(config->log.format)});
  std::shared_ptr<const segment::Definitions> definitions = built_in_definitions();
  if (!config->definitions.empty()) {
    auto loaded = load_definitions(config->definitions);
    if (!loaded) return loaded.error();
    definitions = std::move(*loaded);
  }
  hold_signals();
  auto session = ApiSession::open(*config, std::move(definitions));
  if (!session) {
    complain_about(session.error());
    return session.error().kind == ErrorClass::kUsage ? kConfig : exit_code(session.error().kind);
  }
  log::info("console and API", {{"address", (*session)->url()}});
  Result<> result;
  WatchedWork watched;
  watched.work = [&] { result = (*session)->run(); };
  watched.stop = [&] { (*session)->stop(); };
  watched.hangup = [&] { (*session)->reload(); };
  run_watched(watched);
  return result ? static_cast<int>(kOk) : complain_about(result.error());
}

}  // namespace segue::program
