// SPDX-License-Identifier: Apache-2.0
#include "services/collector/collector_session.h"
#include "services/engine/client_options.h"
#include "services/segue/commands.h"
#include "services/segue/configuration_file.h"
#include "services/segue/console.h"
#include "services/segue/interruption.h"

namespace segue::program {

int run_collector(const std::string& configuration) {
  // Whether a broker is needed is for the collector to say.
  auto config = start_configuration(configuration, config::Purpose::kEmbedded);
  if (!config) return config.error();
  hold_signals();
  auto session = collector::CollectorSession::open(*config, engine::client_options(*config));
  if (!session) return complain_about_setup(session.error());
  const auto result = run_session(**session);
  return result ? static_cast<int>(kOk) : complain_about(result.error());
}

}  // namespace segue::program
