// SPDX-License-Identifier: Apache-2.0
#include "services/segue/commands.h"
#include "services/segue/configuration_file.h"
#include "services/segue/console.h"
#include "services/segue/definitions_file.h"
#include "services/segue/interruption.h"
#include "services/segue/up_session.h"

namespace segue::program {

int run_up(const UpCommand& command) {
  auto config = start_configuration(command.config, config::Purpose::kEmbedded);
  if (!config) return config.error();
  std::shared_ptr<const segment::Definitions> definitions;
  if (!config->definitions.empty()) {
    auto loaded = load_definitions(config->definitions);
    if (!loaded) return loaded.error();
    definitions = std::move(*loaded);
  }
  hold_signals();
  auto session = UpSession::open(command.directory, std::move(*config), std::move(definitions));
  if (!session) {
    complain(session.error().error.message);
    return session.error().code;
  }
  print_error((*session)->greeting());
  const auto result = run_session(**session);
  return result ? static_cast<int>(kOk) : complain_about(result.error());
}

}  // namespace segue::program
