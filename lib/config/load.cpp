// SPDX-License-Identifier: Apache-2.0
#include "lib/config/load.h"

#include <unistd.h>

#include <array>

#include "lib/config/key_table.h"
#include "lib/config/property_rules.h"
#include "lib/config/reader.h"
#include "lib/config/yaml_entries.h"

namespace segue::config {
namespace {

constexpr std::string_view kHidden = "<hidden>";

const Properties& properties_of(const Key& key, const Config& config) {
  return std::get<PropertiesField>(key.field)(const_cast<Config&>(config));  // only reads
}

std::string shown_property(std::string_view name, const std::string& value) { return may_be_secret(name) ? std::string(kHidden) : value; }

std::string shown_value(const Key& key, const Config& config) {
  const std::string value = value_text(key, config);
  // What came from a file is named by that file alone, as in the configuration.
  if (const Key* file = find_key(std::string(key.path) + "_file"); file != nullptr && !value_text(*file, config).empty()) return {};
  return key.kind == ValueKind::kSecret && !value.empty() ? std::string(kHidden) : value;
}

// What every reading begins with.
void read(ConfigReader& reader, std::string_view text) {
  reader.read_file(text);
  reader.read_environment();
  reader.complete();
}

}  // namespace

Environment Environment::of_process() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const size_t equals = variable.find('=');
    if (variable.starts_with("SEGUE_") && equals != std::string_view::npos)
      environment.variables.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  std::array<char, 256> name{};  // Linux: 64 at most
  if (gethostname(name.data(), name.size() - 1) == 0) environment.host_name = name.data();
  return environment;
}

std::string to_text(const std::vector<Mistake>& mistakes) {
  std::string out;
  for (const Mistake& mistake : mistakes) out += mistake.place + ": " + mistake.message + "\n";
  return out;
}

tl::expected<Config, std::vector<Mistake>> parse(std::string_view text, std::string_view file, const Environment& environment, Purpose purpose) {
  ConfigReader reader(file, environment, purpose);
  read(reader, text);
  return std::move(reader).finish();
}

tl::expected<Config, std::vector<Mistake>> load(std::string_view text, std::string_view file, const Environment& environment, Purpose purpose) {
  ConfigReader reader(file, environment, purpose);
  read(reader, text);
  reader.read_secrets();
  return std::move(reader).finish();
}

bool looks_like_configuration(std::string_view text) {
  // By lines, so that one with mistakes is still told apart. No file of definitions has such a key.
  while (!text.empty()) {
    for (const std::string_view key : {"kafka:", "state:", "application:", "embedded:", "api:", "collector:", "http:"})
      if (text.starts_with(key)) return true;
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  return false;
}

std::vector<Setting> settings(const Config& config) {
  std::vector<Setting> out;
  for (const Key& key : key_table()) {
    if (is_mapping(key.kind)) {
      for (const auto& [name, value] : properties_of(key, config))
        out.push_back({std::string(key.path) + "." + name, key.kind == ValueKind::kMapping ? value : shown_property(name, value)});
    } else {
      const std::string value = shown_value(key, config);
      out.push_back({std::string(key.path), value, value == value_text(key, Config{})});
    }
  }
  return out;
}

std::string to_yaml(const Config& config) {
  std::string out;
  std::string open;  // section whose keys are being written
  for (const Key& key : key_table()) {
    const std::string section(section_of(key.path));
    const size_t depth = section.empty() ? 0 : section.find('.') == std::string::npos ? 1 : 2;
    if (section != open && depth != 0) out += std::string(2 * depth - 2, ' ') + std::string(name_of(section)) + ":\n";
    open = section;
    const std::string indent(2 * depth, ' ');
    out += indent + std::string(name_of(key.path)) + ":";
    if (!is_mapping(key.kind)) {
      out += " " + yaml_scalar(shown_value(key, config)) + "\n";
      continue;
    }
    const Properties& properties = properties_of(key, config);
    out += properties.empty() ? " {}\n" : "\n";
    for (const auto& [name, value] : properties)
      out += indent + "  " + yaml_scalar(name) + ": " + yaml_scalar(key.kind == ValueKind::kMapping ? value : shown_property(name, value)) + "\n";
  }
  return out;
}

}  // namespace segue::config
