// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/yaml_source.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "lib/segment/lexer.h"
#include "lib/yaml/document.h"
#include "lib/yaml/text.h"

namespace segue::segment {
namespace {

constexpr size_t kMaxErrors = 50;
constexpr size_t kMaxNameBytes = event::kMaxNameBytes;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string describe_node(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return "'" + node.Scalar() + "'";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    default:
      return "nothing";
  }
}

}  // namespace

std::optional<YAML::Node> YamlSource::load() {
  auto root = yaml::load_document(text_, "the definitions");
  if (!root) return wrong_at(root.error().offset, std::move(root.error().message)), std::nullopt;
  if (root->IsNull()) return wrong_at(0, "the file is empty, expected definitions"), std::nullopt;
  return std::move(*root);
}

void YamlSource::wrong_at(size_t offset, std::string message) {
  if (errors_.size() == kMaxErrors) return;
  const yaml::TextPlace place = yaml::place_at(text_, offset);
  errors_.push_back({file_, place.line, place.column, std::move(message)});
}

size_t YamlSource::offset_of(const YAML::Node& node) const { return std::min(yaml::offset_of(node.Mark()), text_.size()); }

// Walks value and file side by side. White space matches any white space, since YAML folds lines and takes indentation away.
size_t YamlSource::offset_within(const YAML::Node& scalar, size_t byte) const {
  const std::string& value = scalar.Scalar();
  const size_t start = offset_of(scalar);
  size_t at = start;
  const char style = at < text_.size() ? text_[at] : ' ';
  if (style == '"' || style == '\'') ++at;
  if (style == '|' || style == '>') at = std::min(text_.find('\n', at), text_.size());
  const auto skip_space = [&] {
    while (at < text_.size() && is_space(text_[at])) ++at;
  };
  for (size_t i = 0; i < std::min(byte, value.size()); ++i) {
    if (is_space(value[i])) continue;
    skip_space();
    const bool escaped = at + 1 < text_.size() && text_[at + 1] == value[i] && (text_[at] == '\\' || (style == '\'' && text_[at] == '\''));
    if (escaped && (style == '"' || style == '\'')) ++at;
    if (at >= text_.size() || text_[at] != value[i]) return start;
    ++at;
  }
  if (byte < value.size()) skip_space();
  return std::min(at, text_.size());
}

YamlSource::Entries YamlSource::entries(const YAML::Node& node, std::string_view what, std::initializer_list<std::string_view> keys) {
  Entries found;
  if (!node.IsMap()) {
    wrong(node, "found " + describe_node(node) + ", expected " + std::string(what) + ": a mapping of keys and values");
    return found;
  }
  const std::vector<std::string_view> known(keys);
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) {
      wrong(entry.first, "found " + describe_node(entry.first) + ", expected a key");
      continue;
    }
    const std::string& key = entry.first.Scalar();
    if (!known.empty() && std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string_view near = closest(key, known);
      std::string message = "unknown key '" + key + "' in " + std::string(what);
      if (!near.empty()) message += "; did you mean '" + std::string(near) + "'?";
      if (near.empty()) message += ", expected one of:";
      for (size_t i = 0; near.empty() && i < known.size(); ++i) message += (i == 0 ? " " : ", ") + std::string(known[i]);
      wrong(entry.first, std::move(message));
      continue;
    }
    if (find(found, key)) {
      wrong(entry.first, "the key '" + key + "' is given twice");
      continue;
    }
    found.emplace_back(entry.first, entry.second);
  }
  return found;
}

std::optional<YAML::Node> YamlSource::find(const Entries& entries, std::string_view key) {
  for (const auto& [name, value] : entries)
    if (name.Scalar() == key) return value;
  return std::nullopt;
}

std::optional<std::string> YamlSource::scalar(const YAML::Node& node, std::string_view expected) {
  if (node.IsScalar() && !node.Scalar().empty()) return node.Scalar();
  wrong(node, "found " + describe_node(node) + ", expected " + std::string(expected));
  return std::nullopt;
}

std::optional<std::string> YamlSource::name(const YAML::Node& node, std::string_view expected) {
  auto text = scalar(node, expected);
  if (!text) return text;
  if (text->size() > kMaxNameBytes) return wrong(node, "this name is longer than " + std::to_string(kMaxNameBytes) + " bytes"), std::nullopt;
  if (text->find_first_of("\r\n\t") != std::string::npos || text->front() == ' ' || text->back() == ' ')
    return wrong(node, "a name stands on one line, without spaces around it"), std::nullopt;
  return text;
}

std::optional<bool> YamlSource::boolean(const YAML::Node& node) {
  if (node.IsScalar() && node.Scalar() == "true") return true;
  if (node.IsScalar() && node.Scalar() == "false") return false;
  wrong(node, "found " + describe_node(node) + ", expected true or false");
  return std::nullopt;
}

std::optional<double> YamlSource::number(const YAML::Node& node, double low, double high) {
  double value = 0;
  if (node.IsScalar()) {
    const std::string& text = node.Scalar();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error == std::errc{} && end == text.data() + text.size() && value >= low && value <= high) return value;
  }
  const auto show = [](double bound) { return std::to_string(static_cast<int64_t>(bound)); };
  wrong(node, "found " + describe_node(node) + ", expected a number from " + show(low) + " to " + show(high));
  return std::nullopt;
}

std::optional<Duration> YamlSource::duration(const YAML::Node& node, Duration low, Duration high) {
  const auto found = node.IsScalar() ? parse_duration(node.Scalar()) : tl::expected<Duration, TextError>(tl::unexpected(TextError{}));
  if (found && *found >= low && *found <= high) return *found;
  wrong(node, "found " + describe_node(node) + ", expected a duration from " + print_duration(low) + " to " + print_duration(high) + ", such as 7d");
  return std::nullopt;
}

std::vector<YAML::Node> YamlSource::items(const YAML::Node& node, std::string_view expected) {
  std::vector<YAML::Node> found;
  if (node.IsSequence())
    for (const auto& item : node) found.push_back(item);
  if (found.empty()) wrong(node, "found " + (node.IsSequence() ? "an empty list" : describe_node(node)) + ", expected " + std::string(expected));
  return found;
}

std::vector<YAML::Node> YamlSource::one_or_more(const YAML::Node& node, std::string_view expected) {
  return node.IsScalar() ? std::vector<YAML::Node>{node} : items(node, expected);
}

std::vector<DefinitionError> YamlSource::take_errors() {
  std::stable_sort(errors_.begin(), errors_.end(),
                   [](const DefinitionError& a, const DefinitionError& b) { return std::tie(a.line, a.column) < std::tie(b.line, b.column); });
  // A node that stands in several places is read several times.
  const auto same = [](const DefinitionError& a, const DefinitionError& b) {
    return std::tie(a.line, a.column, a.message) == std::tie(b.line, b.column, b.message);
  };
  errors_.erase(std::unique(errors_.begin(), errors_.end(), same), errors_.end());
  return std::move(errors_);
}

}  // namespace segue::segment
