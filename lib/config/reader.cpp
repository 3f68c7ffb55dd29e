// SPDX-License-Identifier: Apache-2.0
#include "lib/config/reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <tuple>

#include "lib/config/property_rules.h"
#include "lib/yaml/text.h"

namespace segue::config {
namespace {

constexpr size_t kMaxMistakes = 50;
constexpr std::string_view kPrefix = "SEGUE_";
// Not the engine's: where the project's own tests find their broker's jars.
constexpr std::string_view kTestVariable = "SEGUE_KAFKA_JARS";

std::string join(std::string_view section, std::string_view name) {
  return section.empty() ? std::string(name) : std::string(section) + "." + std::string(name);
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

// A key as it may be shown. Where a blank behind the colon is missing, as in "password:5ecret", the value is part of the key: it ends before that.
std::string shown_key(std::string_view key) {
  const auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-'; };
  const auto end = std::find_if_not(key.begin(), key.end(), is_part);
  std::string shown(key.substr(0, std::min<size_t>(static_cast<size_t>(end - key.begin()), 100)));
  if (shown.size() < key.size()) shown += "...";
  return quoted(shown);
}

std::string_view describe(NodeKind kind) {
  switch (kind) {
    case NodeKind::kNothing:
      return "nothing";
    case NodeKind::kScalar:
      return "a value";
    case NodeKind::kList:
      return "a list";
    case NodeKind::kMapping:
      return "a mapping";
  }
  return {};
}

// Keys and sections right below a section.
std::vector<std::string_view> names_below(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Key& key : key_table()) {
    if (!section.empty() && !(key.path.starts_with(section) && key.path.substr(section.size()).starts_with('.'))) continue;
    const std::string_view rest = section.empty() ? key.path : key.path.substr(section.size() + 1);
    const std::string_view name = rest.substr(0, rest.find('.'));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

// Kubernetes gives every container the addresses of all services: a service named segue-kafka gives SEGUE_KAFKA_SERVICE_HOST,
// SEGUE_KAFKA_PORT=tcp://10.0.0.7:9092, SEGUE_KAFKA_PORT_9092_TCP_ADDR and more.
bool is_of_kubernetes(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") || name.find("_SERVICE_PORT_") != std::string_view::npos) return true;
  if (name.ends_with("_PORT")) return value.find("://") != std::string_view::npos;
  const size_t port = name.find("_PORT_");
  return port != std::string_view::npos && port + 6 < name.size() && std::isdigit(static_cast<unsigned char>(name[port + 6])) != 0;
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

}  // namespace

void ConfigReader::wrong(Source source, std::string message) { findings_.push_back({std::move(source), std::move(message)}); }

void ConfigReader::wrong_together(std::string_view path, std::string message) {
  wrong(source_of(path), std::string(path) + " " + std::move(message));
}

ConfigReader::Source ConfigReader::source_of(std::string_view path) const {
  // A key that is not there is missing in its section.
  for (;; path = section_of(path)) {
    if (const auto found = sources_.find(path); found != sources_.end()) return found->second;
    if (path.empty()) return {};
  }
}

// ---- the file

void ConfigReader::read_file(std::string_view text) {
  const auto descend = [](std::string_view path) {
    const Key* key = find_key(path);
    return is_section(path) || (key != nullptr && is_mapping(key->kind));
  };
  const auto entries = read_yaml(text, descend);
  if (!entries) {
    // Nothing was read: what is missing would be no news.
    for (const Key& key : key_table()) mistaken_.emplace(key.path);
    return wrong({entries.error().place, {}}, entries.error().message);
  }
  for (const YamlEntry& entry : *entries) read_entry(entry);
}

void ConfigReader::read_entry(const YamlEntry& entry) {
  const Source at_key{entry.key_place, {}};
  if (entry.key.empty()) return wrong(at_key, "expected a key");
  if (entry.repeated) return wrong(at_key, "the key " + shown_key(entry.key) + " is given twice");
  const Key* section = find_key(entry.section);
  if (section != nullptr && is_mapping(section->kind)) return read_property(entry);
  const std::string path = join(entry.section, entry.key);
  const Key* key = entry.key.find('.') == std::string::npos ? find_key(path) : nullptr;
  const bool opens_section = entry.key.find('.') == std::string::npos && is_section(path);
  if (key == nullptr && !opens_section) return unknown_key(entry);
  sources_[path] = at_key;
  if (key != nullptr && !is_mapping(key->kind)) return read_value(*key, entry);
  // A section of which all keys are commented out is empty. A scalar may be "password:5ecret" and is not shown.
  if (entry.kind == NodeKind::kMapping || entry.kind == NodeKind::kNothing) return;
  mistaken_.insert(path);
  const std::string expected = key != nullptr ? expected_value(*key) : "a mapping of keys and values";
  wrong({entry.value_place, {}}, path + ": found " + std::string(describe(entry.kind)) + ", expected " + expected);
}

void ConfigReader::read_value(const Key& key, const YamlEntry& entry) {
  const Source source{entry.value_place, {}};
  sources_[std::string(key.path)] = source;
  const std::string path(key.path);
  if (entry.kind != NodeKind::kScalar) {
    mistaken_.insert(path);
    const std::string hint = entry.kind == NodeKind::kNothing && !key.fallback.empty() ? "; '' is " + std::string(key.fallback) : "";
    return wrong(source, path + ": found " + std::string(describe(entry.kind)) + ", expected " + expected_value(key) + hint);
  }
  if (const auto set = set_value(key, entry.text, config_); !set) {
    mistaken_.insert(path);
    wrong(source, path + ": " + set.error().message);
  }
}

void ConfigReader::read_property(const YamlEntry& entry) {
  const std::string shown = entry.section + ": " + shown_key(entry.key);
  const bool is_property = find_key(entry.section)->kind == ValueKind::kProperties;
  if (const auto reason = is_property ? reason_to_refuse(entry.key) : std::string_view(); !reason.empty())
    return wrong({entry.key_place, {}}, shown + " is refused: " + std::string(reason));
  if (entry.kind != NodeKind::kScalar)
    return wrong({entry.value_place, {}},
                 shown + ": found " + std::string(describe(entry.kind)) + ", expected the " + (is_property ? "property's " : "") + "value");
  if (!yaml::is_clean_text(entry.key) || !yaml::is_clean_text(entry.text))
    return wrong({entry.value_place, {}}, shown + ": is not UTF-8, or has control characters");
  std::get<PropertiesField>(find_key(entry.section)->field)(config_)[entry.key] = entry.text;
}

void ConfigReader::unknown_key(const YamlEntry& entry) {
  std::string message = "unknown key " + shown_key(entry.key) + (entry.section.empty() ? "" : " in " + entry.section);
  const auto siblings = names_below(entry.section);
  if (const std::string whole = join(entry.section, entry.key); find_key(whole) != nullptr || is_section(whole)) {
    // "kafka.brokers: x" as one key.
    message += "; write " + quoted(name_of(whole)) + " below " + quoted(section_of(whole));
  } else if (const auto near = nearest(entry.key, siblings); !near.empty()) {
    message += "; did you mean " + quoted(near) + "?";
  } else {
    const auto table = key_table();
    const auto elsewhere = std::find_if(table.begin(), table.end(), [&](const Key& key) { return name_of(key.path) == entry.key; });
    message += elsewhere != table.end() ? "; did you mean " + quoted(elsewhere->path) + "?" : ", expected one of:";
    for (size_t i = 0; elsewhere == table.end() && i < siblings.size(); ++i) message += (i == 0 ? " " : ", ") + std::string(siblings[i]);
  }
  wrong({entry.key_place, {}}, std::move(message));
}

// ---- the environment

void ConfigReader::read_environment() {
  for (const auto& variable : environment_.variables) {
    const std::string& name = variable.first;
    const std::string& value = variable.second;
    if (!name.starts_with(kPrefix)) continue;
    const auto table = key_table();
    const auto found = std::find_if(table.begin(), table.end(), [&](const Key& key) { return variable_name(key) == name; });
    if (found == table.end()) {
      unknown_variable(name, value);
      continue;
    }
    const Source source{{}, name};
    const std::string path(found->path);
    if (is_mapping(found->kind)) {
      wrong(source, path + " is a mapping, which only the file can give");
      continue;
    }
    // It stands in the place of the file's value, which must be right all the same.
    sources_[path] = source;
    if (const auto set = set_value(*found, value, config_); !set) {
      mistaken_.insert(path);
      wrong(source, path + ": " + set.error().message);
    }
  }
}

// A variable is meant for us when it begins like one of a section, or is nearly one of ours.
void ConfigReader::unknown_variable(const std::string& name, const std::string& value) {
  if (name == kTestVariable || is_of_kubernetes(name, value)) return;
  const std::string_view rest = std::string_view(name).substr(kPrefix.size());
  std::vector<std::string> known;
  bool of_section = false;
  for (const Key& key : key_table()) {
    if (!is_mapping(key.kind)) known.push_back(variable_name(key).substr(kPrefix.size()));
    of_section |= !section_of(key.path).empty() && rest.starts_with(upper_case(key.path.substr(0, key.path.find('.'))) + "_");
  }
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  const std::string_view near = nearest(rest, candidates);
  if (near.empty() && !of_section) return;
  wrong({{}, name}, "no key has this variable" + (near.empty() ? "" : "; did you mean " + std::string(kPrefix) + std::string(near) + "?"));
}

// ---- keys together

void ConfigReader::complete() {
  const auto fill = [&](const char* path, const std::string& value, const char* what) {
    if (mistaken_.contains(path) || !value_text(*find_key(path), config_).empty()) return;
    if (value.empty() || !set_value(*find_key(path), value, config_))
      wrong(source_of(path), std::string(path) + " is missing: " + what + " cannot be used as a name");
  };
  fill("instance", environment_.host_name, "the host's name");
  fill("kafka.group", config_.application, "the application's name");
  require_values();
  require_distinct_topics();
  check_security();
  const auto same = [](std::string_view a, std::string_view b) {
    while (a.size() > 1 && a.ends_with('/')) a.remove_suffix(1);
    while (b.size() > 1 && b.ends_with('/')) b.remove_suffix(1);
    return a == b;
  };
  if (!config_.snapshots.directory.empty() && same(config_.snapshots.directory, config_.state.directory))
    wrong_together("snapshots.directory", "must not be state.directory");
}

void ConfigReader::require_values() {
  const auto needed = [this](const Key& key) {
    if (purpose_ == Purpose::kEmbedded) return key.path != "kafka.brokers" && key.path != "state.directory";
    return purpose_ == Purpose::kEngine || key.path != "state.directory";
  };
  for (const Key& key : key_table())
    if (key.required && needed(key) && !mistaken_.contains(key.path) && value_text(key, config_).empty())
      wrong(source_of(key.path), std::string(key.path) + " is missing: it has no default");
}

void ConfigReader::require_distinct_topics() {
  // Whoever reads what he writes never ends; and each topic has records of one kind.
  static constexpr std::array<std::string_view, 5> kTopics = {"kafka.input", "kafka.transitions", "kafka.dead_letters", "kafka.journal",
                                                              "kafka.instances"};
  for (size_t i = 0; i < kTopics.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (value_text(*find_key(kTopics[i]), config_) == value_text(*find_key(kTopics[k]), config_)) {
        const size_t named = sources_.contains(kTopics[i]) ? i : k;
        wrong_together(kTopics[named], "and " + std::string(kTopics[i + k - named]) + " must not be the same topic");
      }
}

tl::expected<Config, std::vector<Mistake>> ConfigReader::finish() && {
  if (findings_.empty()) return std::move(config_);
  std::stable_sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.source.variable, a.source.at.line, a.source.at.column) < std::tie(b.source.variable, b.source.at.line, b.source.at.column);
  });
  findings_.resize(std::min(findings_.size(), kMaxMistakes));
  std::vector<Mistake> mistakes;
  for (Finding& finding : findings_) {
    const TextPlace at = finding.source.at;
    std::string place = finding.source.variable;
    if (place.empty()) place = file_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
    mistakes.push_back({std::move(place), std::move(finding.message)});
  }
  return tl::make_unexpected(std::move(mistakes));
}

}  // namespace segue::config
