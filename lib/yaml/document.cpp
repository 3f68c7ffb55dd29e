// SPDX-License-Identifier: Apache-2.0
#include "lib/yaml/document.h"

#include <yaml-cpp/eventhandler.h>

#include <optional>
#include <sstream>

#include "lib/yaml/text.h"

namespace segue::yaml {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;

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

// YAML::Load stops in silence where the first document ends, be it at a stray bracket; YAML::LoadAll never ends there.
std::optional<size_t> second_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStarts starts;
  if (!parser.HandleNextDocument(starts) || !parser.HandleNextDocument(starts)) return std::nullopt;
  return starts.last;
}

}  // namespace

size_t offset_of(const YAML::Mark& mark) { return mark.is_null() || mark.pos < 0 ? 0 : static_cast<size_t>(mark.pos); }

tl::expected<YAML::Node, YamlFault> load_document(std::string_view text, std::string_view what) {
  const auto wrong = [](size_t offset, std::string message) { return tl::make_unexpected(YamlFault{offset, std::move(message)}); };
  if (text.size() > kMaxFileBytes) return wrong(0, "the file is larger than 1 MiB");
  if (!is_clean_text(text)) return wrong(0, "the file is not UTF-8 text");
  try {
    const std::string copy(text);
    YAML::Node root = YAML::Load(copy);
    if (const auto rest = second_document(copy)) return wrong(*rest, "found more after the end of " + std::string(what) + ": a bracket too many?");
    return root;
  } catch (const YAML::Exception& error) {
    // Some messages end with a piece of the text, which may be a password: "the referenced anchor is not defined: 5ecret".
    return wrong(offset_of(error.mark), "this is not YAML: " + error.msg.substr(0, error.msg.find(':')));
  }
}

}  // namespace segue::yaml
