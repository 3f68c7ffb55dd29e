// SPDX-License-Identifier: Apache-2.0
#include "services/tools/transition_line.h"

namespace segue::tools {

Result<TransitionLine> TransitionReader::read(std::string_view line) {
  const auto malformed = [&] { return fail(ErrorClass::kData, "not a line of transitions: " + std::string(line.substr(0, 200))); };
  arena_.clear();
  copy_.assign(line).append(64, ' ');
  const std::string_view text(copy_.data(), line.size());
  if (!index_.build(text)) return malformed();
  const codec::JsonText json(text, index_, text.find('\\') != std::string_view::npos);
  if (!json.is_valid() || json.first(0) != '{') return malformed();

  TransitionLine out;
  int64_t n = 0, at = 0;
  bool has_n = false, has_at = false;
  for (uint32_t token = 1; json.first(token) != '}';) {
    if (json.first(token) == ',') ++token;
    const std::string_view name = json.string(token, arena_);
    const uint32_t value = token + 2;  // behind the colon
    const auto take = [&](std::string_view& field) {
      if (json.first(value) == '"') field = json.string(value, arena_);
    };
    if (name == "user_id") take(out.user_id);
    if (name == "type") take(out.type);
    if (name == "name") take(out.name);
    if (name == "key") take(out.key);
    if (name == "from") take(out.from);
    if (name == "to") take(out.to);
    if (name == "cause") take(out.cause);
    if (name == "event_id") take(out.event_id);
    if (name == "n") has_n = json.whole(value, n) && n > 0;
    if (name == "at") has_at = json.whole(value, at);
    token = json.skip(value, 1);
  }
  if (out.user_id.empty() || out.type.empty() || !has_n || !has_at) return malformed();
  out.n = static_cast<uint64_t>(n);
  out.at = time_from_ms(at);
  return out;
}

}  // namespace segue::tools
