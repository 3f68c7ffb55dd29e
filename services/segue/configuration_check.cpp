// SPDX-License-Identifier: Apache-2.0
#include "services/segue/configuration_check.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "lib/codec/json_writer.h"
#include "lib/config/key_table.h"
#include "services/api/api.h"
#include "services/collector/collector_options.h"
#include "services/engine/client_options.h"
#include "services/segue/configuration_file.h"
#include "services/segue/console.h"
#include "services/segue/definitions_file.h"
#include "services/segue/live_api.h"
#include "services/tools/display.h"
#include "services/tools/table.h"
#include "services/tools/terminal.h"

namespace segue::program {
namespace {

using config::Config;
using segment::Definitions;
using tools::printable;
using Align = tools::Table::Align;

// Why nothing could be written there; empty when it could. Makes nothing.
std::string reason_against(const std::string& directory) {
  std::error_code error;
  std::filesystem::path place = std::filesystem::absolute(directory, error).lexically_normal();
  // What is missing will be made below the nearest that is there.
  while (!std::filesystem::exists(place, error) && place.has_parent_path() && place != place.parent_path()) {
    if (error && error != std::errc::no_such_file_or_directory) return place.string() + ": " + error.message();
    place = place.parent_path();
  }
  if (!std::filesystem::is_directory(place, error)) return place.string() + " is not a directory";
  if (access(place.c_str(), W_OK | X_OK) != 0) return place.string() + " cannot be written to: " + std::strerror(errno);
  return {};
}

// Of state and snapshots; says what is wrong with each.
int check_directories(const Config& config) {
  int code = kOk;
  const auto check = [&](const char* key, const std::string& directory) {
    const std::string reason = directory.empty() ? std::string() : reason_against(directory);
    if (reason.empty()) return;
    complain(std::string(key) + ": " + printable(reason));
    code = kIo;
  };
  check("state.directory", config.state.directory);
  check("snapshots.directory", config.snapshots.directory);
  return code;
}

// A command that runs with a configuration, and which keys it misses in this one.
struct Use {
  std::string_view command;
  std::string missing;  // empty: it is good for the command
};

std::vector<Use> uses_of(const Config& config) {
  const auto missing = [&](std::initializer_list<const char*> paths) {
    std::string out;
    for (const char* path : paths)
      if (config::value_text(*config::find_key(path), config).empty()) out += (out.empty() ? "" : " and ") + std::string(path);
    return out;
  };
  const bool has_sink = !config.collector.log.empty() || !config.kafka.brokers.empty();
  return {{"up", ""},
          {"engine", missing({"state.directory", "kafka.brokers"})},
          {"collector", has_sink ? "" : "kafka.brokers or collector.log"},
          {"api", missing({"kafka.brokers"})}};
}

// True where nothing is said against the command that was asked for.
bool check_use(const Config& config, const std::string& path, const std::string& wanted) {
  for (const Use& use : uses_of(config)) {
    if (use.command != wanted || use.missing.empty()) continue;
    complain(printable(path) + " is not for segue " + wanted + ": " + use.missing + (use.missing.find(" and ") == use.missing.npos ? " is" : " are") +
             " missing");
    return false;
  }
  return true;
}

std::string uses_text(const Config& config) {
  std::string good, rest;
  for (const Use& use : uses_of(config)) {
    if (use.missing.empty()) good += (good.empty() ? "" : ", ") + std::string("segue ") + std::string(use.command);
    if (!use.missing.empty()) rest += "Not for segue " + std::string(use.command) + ": it needs " + use.missing + ".\n";
  }
  return "For " + good + ".\n" + rest;
}

// What the listeners of collector and API read when they start: addresses, tokens, certificates.
bool check_listeners(const Config& config) {
  bool right = true;
  const auto wrong = [&](const std::string& what) {
    complain(printable(what));
    right = false;
  };
  if (config.collector.listen != kNoListener) {
    if (const auto options = collector::collector_options(config); !options) {
      wrong(options.error().message);
    } else if (options->tls) {
      if (const auto tls = http::check_tls_files(*options->tls); !tls) wrong("collector.certificate_file: " + tls.error().message);
    }
  }
  if (config.api.listen == kNoListener) return right;
  if (const auto checked = api::check_options(api_options(config.api)); !checked) wrong(checked.error().message);
  return right;
}

std::string summary_text(const Config& config, const std::string& path, const Definitions& definitions, const tools::Terminal& terminal) {
  std::string out = terminal.paint.good("✓") + " " + printable(path) + " is right\n\n";
  tools::Table values({Align::kLeft, Align::kLeft});
  size_t defaults = 0;
  for (const auto& setting : config::settings(config)) {
    defaults += setting.is_default ? 1 : 0;
    if (!setting.is_default) values.row({setting.path, printable(setting.text)});
  }
  out += values.text(terminal);
  out += "\nThe other " + std::to_string(defaults) + " keys have their defaults (--print shows them).\n";
  const std::string source = config.definitions.empty() ? "the built-in ones" : printable(config.definitions);
  return out + "Definitions: " + source + ", " + definitions.hash() + "\n" + uses_text(config);
}

std::string summary_json(const Config& config, const std::string& path, const Definitions& definitions) {
  std::string out;
  codec::JsonWriter json(out);
  json.begin_object();
  json.name("file"), json.string(printable(path));
  json.name("definitions_hash"), json.string(definitions.hash());
  json.name("settings"), json.begin_object();
  for (const auto& setting : config::settings(config)) json.name(setting.path), json.string(printable(setting.text));
  json.end_object();
  json.name("good_for"), json.begin_array();
  for (const Use& use : uses_of(config))
    if (use.missing.empty()) json.string(use.command);
  json.end_array();
  json.end_object();
  return out + "\n";
}

}  // namespace

int check_configuration(const std::string& path, const CheckCommand& command) {
  // What a command misses is said below: one file may be for several, and need not be for all.
  const auto config = load_configuration(path, config::Purpose::kEmbedded);
  if (!config) return config.error();
  if (!check_use(*config, path, command.use) || !check_listeners(*config)) return kConfig;
  auto definitions = built_in_definitions();
  if (!config->definitions.empty()) {
    auto loaded = load_definitions(config->definitions);
    if (!loaded) return loaded.error();
    definitions = std::move(*loaded);
  }
  if (const int code = check_directories(*config); code != kOk) return code;
  const std::string concern = kafka::login_concern(engine::client_options(*config).security);
  if (!concern.empty()) complain("kafka.security.mechanism: " + concern);
  if (command.print) {
    print(config::to_yaml(*config));
  } else {
    print(command.json ? summary_json(*config, path, *definitions) : summary_text(*config, path, *definitions, tools::find_terminal(1)));
  }
  return kOk;
}

}  // namespace segue::program
