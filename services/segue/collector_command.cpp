// SPDX-License-Identifier: Apache-2.0
#include "lib/telemetry/log.h"
#include "services/collector/collector_session.h"
#include "services/engine/client_options.h"
#include "services/segue/commands.h"
#include "services/segue/configuration_file.h"
#include "services/segue/console.h"
#include "services/segue/interruption.h"

namespace segue::program {

int run_collector(const std::string& configuration) {
  namespace log = telemetry::log;
  // Whether a broker is needed is for the collector to say.
  auto config = load_configuration(configuration, config::Purpose::kEmbedded);
  if (!config) return config.error();
  log::configure({.level = *log::parse_level(config->log.level), .format = *log::parse_format(config->log.format)});
  hold_signals();
  auto session = collector::CollectorSession::open(*config, engine::client_options(*config));
  if (!session) {
    complain_about(session.error());
    return session.error().kind == ErrorClass::kUsage ? kConfig : exit_code(session.error().kind);
  }
  Result<> result;
  WatchedWork watched;
  watched.work = [&] { result = (*session)->run(); };
  watched.stop = [&] { (*session)->stop(); };
  watched.hangup = [&] { (*session)->reload(); };
  run_watched(watched);
  if (result) return kOk;
  complain_about(result.error());
  return exit_code(result.error().kind);
}

}  // namespace segue::program
