// SPDX-License-Identifier: Apache-2.0
#include "lib/config/yaml_entries.h"

#include <algorithm>
#include <set>

#include "lib/yaml/document.h"

namespace segue::config {
namespace {

NodeKind kind_of(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return NodeKind::kScalar;
    case YAML::NodeType::Sequence:
      return NodeKind::kList;
    case YAML::NodeType::Map:
      return NodeKind::kMapping;
    default:
      return NodeKind::kNothing;
  }
}

class Reader {
 public:
  Reader(std::string_view text, const std::function<bool(std::string_view)>& descend) : text_(text), descend_(descend) {}

  void read(const YAML::Node& mapping, const std::string& section) {
    std::set<std::string> keys;
    for (const auto& entry : mapping) {
      const bool has_name = entry.first.IsScalar();
      YamlEntry found{.section = section,
                      .key = has_name ? entry.first.Scalar() : std::string(),
                      .kind = kind_of(entry.second),
                      .text = entry.second.IsScalar() ? entry.second.Scalar() : std::string(),
                      .key_place = yaml::place_at(text_, yaml::offset_of(entry.first.Mark())),
                      .value_place = yaml::place_at(text_, yaml::offset_of(entry.second.Mark()))};
      // What is left empty has no place of its own.
      if (found.kind == NodeKind::kNothing) found.value_place = found.key_place;
      found.repeated = has_name && !keys.insert(found.key).second;
      const std::string path = (section.empty() ? "" : section + ".") + found.key;
      const bool goes_down = found.kind == NodeKind::kMapping && !found.repeated && descend_(path);
      entries.push_back(std::move(found));
      if (goes_down) read(entry.second, path);
    }
  }

  std::vector<YamlEntry> entries;

 private:
  std::string_view text_;
  const std::function<bool(std::string_view)>& descend_;
};

}  // namespace

tl::expected<std::vector<YamlEntry>, YamlError> read_yaml(std::string_view text, const std::function<bool(std::string_view)>& descend) {
  const auto wrong = [&](size_t offset, std::string message) {
    return tl::make_unexpected(YamlError{yaml::place_at(text, offset), std::move(message)});
  };
  auto root = yaml::load_document(text, "the configuration");
  if (!root) return wrong(root.error().offset, std::move(root.error().message));
  Reader reader(text, descend);
  if (root->IsNull()) return std::move(reader.entries);
  if (!root->IsMap()) return wrong(yaml::offset_of(root->Mark()), "expected a mapping of keys and values");
  reader.read(*root, "");
  return std::move(reader.entries);
}

std::string yaml_scalar(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/' || c == '.' || c == ':' || c == '-';
  };
  const bool null = text == "null" || text == "Null" || text == "NULL";
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain) && text.front() != '-' && text.front() != ':' && text.back() != ':' && !null)
    return std::string(text);
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace segue::config
