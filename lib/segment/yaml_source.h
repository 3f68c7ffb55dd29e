// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/segment/definitions.h"

namespace segue::segment {

// A YAML text with the mistakes found in it. Reads nodes by the type that is expected of them; what is wrong is remembered with its place, and
// reading goes on, so that one run shows all mistakes.
class YamlSource {
 public:
  YamlSource(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  // The only document of the text; empty, with the mistake remembered, when it is no YAML.
  std::optional<YAML::Node> load();

  void wrong(const YAML::Node& node, std::string message) { wrong_at(offset_of(node), std::move(message)); }
  // Points at a byte of a scalar's value: into quoted, folded and indented text as well.
  void wrong_within(const YAML::Node& scalar, size_t byte, std::string message) { wrong_at(offset_within(scalar, byte), std::move(message)); }

  using Entries = std::vector<std::pair<YAML::Node, YAML::Node>>;
  // The entries of a mapping in the order of the file, keys checked: known (any, when `keys` is empty) and given once. `what` names the mapping.
  Entries entries(const YAML::Node& node, std::string_view what, std::initializer_list<std::string_view> keys);
  static std::optional<YAML::Node> find(const Entries& entries, std::string_view key);

  std::optional<std::string> scalar(const YAML::Node& node, std::string_view expected);
  // A name of up to 256 bytes on one line.
  std::optional<std::string> name(const YAML::Node& node, std::string_view expected);
  std::optional<bool> boolean(const YAML::Node& node);
  std::optional<double> number(const YAML::Node& node, double low, double high);
  std::optional<Duration> duration(const YAML::Node& node, Duration low, Duration high);
  // The items of a list that has some.
  std::vector<YAML::Node> items(const YAML::Node& node, std::string_view expected);
  // The same where a single scalar counts as a list of one.
  std::vector<YAML::Node> one_or_more(const YAML::Node& node, std::string_view expected);

  bool ok() const { return errors_.empty(); }
  // By place.
  std::vector<DefinitionError> take_errors();

 private:
  void wrong_at(size_t offset, std::string message);
  size_t offset_of(const YAML::Node& node) const;
  size_t offset_within(const YAML::Node& scalar, size_t byte) const;

  std::string_view text_;
  std::string file_;
  std::vector<DefinitionError> errors_;
};

}  // namespace segue::segment
