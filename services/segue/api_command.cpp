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
  auto config = start_configuration(configuration, config::Purpose::kClient);
  if (!config) return config.error();
  auto definitions = load_or_built_in_definitions(config->definitions);
  if (!definitions) return definitions.error();
  hold_signals();
  auto session = ApiSession::open(*config, std::move(*definitions));
  if (!session) return complain_about_setup(session.error());
  telemetry::log::info("console and API", {{"address", (*session)->url()}});
  const auto result = run_session(**session);
  return result ? static_cast<int>(kOk) : complain_about(result.error());
}

}  // namespace segue::program
