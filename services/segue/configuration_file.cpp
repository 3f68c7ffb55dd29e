// SPDX-License-Identifier: Apache-2.0
#include "services/segue/configuration_file.h"

#include "lib/filelog/posix_file_system.h"
#include "lib/http/listen_address.h"
#include "lib/telemetry/log.h"
#include "services/segue/console.h"
#include "services/tools/display.h"

namespace segue::program {

tl::expected<config::Config, int> load_configuration(const std::string& given, config::Purpose purpose) {
  const std::string path = given.empty() ? "environment" : given;
  filelog::PosixFileSystem files;
  const auto text = given.empty() ? Result<std::string>() : filelog::read_file(files, path);
  if (!text) return tl::make_unexpected(complain_about(text.error()));
  auto loaded = config::load(*text, path, config::Environment::of_process(), purpose);
  std::vector<config::Mistake> mistakes;
  if (!loaded) {
    mistakes = std::move(loaded.error());
  } else if (!loaded->http.listen.empty()) {
    // Only the server knows what it can listen on.
    if (const auto address = http::parse_listen_address(loaded->http.listen); !address)
      mistakes.push_back({path, "http.listen: " + address.error().message});
  }
  if (mistakes.empty()) return std::move(*loaded);
  for (const auto& mistake : mistakes) print_error(tools::printable(mistake.place + ": " + mistake.message) + "\n");
  complain(path + ": " + (mistakes.size() == 1 ? "a mistake" : std::to_string(mistakes.size()) + " mistakes") + " in the configuration");
  return tl::make_unexpected(static_cast<int>(kConfig));
}

tl::expected<config::Config, int> start_configuration(const std::string& path, config::Purpose purpose) {
  namespace log = telemetry::log;
  auto config = load_configuration(path, purpose);
  if (config) log::configure({.level = *log::parse_level(config->log.level), .format = *log::parse_format(config->log.format)});
  return config;
}

}  // namespace segue::program
