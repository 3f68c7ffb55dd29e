// SPDX-License-Identifier: Apache-2.0
#include "lib/config/yaml_entries.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace segue::config {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;

bool is_continuation(char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; }

TextPlace place_at(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto characters = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start), before.end(), std::not_fn(is_continuation));
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1, static_cast<int>(characters) + 1};
}

size_t offset_of(const YAML::Mark& mark) { return mark.is_null() || mark.pos < 0 ? 0 : static_cast<size_t>(mark.pos); }

// Takes note of where the last document starts; content does not matter.
class DocumentStarts final : public YAML::EventHandler {
 public:
  size_t last = 0;

  void OnDocumentStart(const YAML::Mark& mark) override { last = offset_of(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

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
                      .key_place = place_at(text_, offset_of(entry.first.Mark())),
                      .value_place = place_at(text_, offset_of(entry.second.Mark()))};
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

// True for UTF-8 without control characters other than line ends and tabs: what yaml-cpp reads as it stands.
bool is_clean_text(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    if ((lead < 0x20 && lead != '\n' && lead != '\r' && lead != '\t') || lead == 0x7f) return false;
    const size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    if (!std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i) + 1, text.begin() + static_cast<std::ptrdiff_t>(i + length), is_continuation))
      return false;
    const auto second = length > 1 ? static_cast<uint8_t>(text[i + 1]) : uint8_t{0x80};
    // Overlong forms, surrogates, and what lies beyond Unicode.
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
      return false;
    i += length;
  }
  return true;
}

}  // namespace

tl::expected<std::vector<YamlEntry>, YamlError> read_yaml(std::string_view text, const std::function<bool(std::string_view)>& descend) {
  const auto wrong = [](TextPlace place, std::string message) { return tl::make_unexpected(YamlError{place, std::move(message)}); };
  if (text.size() > kMaxFileBytes) return wrong({}, "the file is larger than 1 MiB");
  if (!is_clean_text(text)) return wrong({}, "the file is not UTF-8 text");
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    // YAML::Load stops in silence where the first document ends, be it at a stray bracket.
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    DocumentStarts starts;
    if (parser.HandleNextDocument(starts) && parser.HandleNextDocument(starts))
      return wrong(place_at(text, starts.last), "found more after the end of the configuration: a bracket too many?");
    Reader reader(text, descend);
    if (root.IsMap()) {
      reader.read(root, "");
    } else if (!root.IsNull()) {
      return wrong(place_at(text, offset_of(root.Mark())), "expected a mapping of keys and values");
    }
    return std::move(reader.entries);
  } catch (const YAML::Exception& error) {
    // Some messages end with a piece of the text, which may be a password: "the referenced anchor is not defined: 5ecret".
    const std::string reason = error.msg.substr(0, error.msg.find(':'));
    return wrong(place_at(text, offset_of(error.mark)), "this is not YAML: " + reason);
  }
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
