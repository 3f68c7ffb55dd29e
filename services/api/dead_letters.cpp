// SPDX-License-Identifier: Apache-2.0
#include "services/api/dead_letters.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/codec/json_writer.h"

namespace segue::api {
namespace {

// Whole groups of four characters, so that it can still be decoded.
constexpr size_t kShownBase64 = kShownRaw / 3 * 4;

// Cut to `most` bytes, not within a character.
std::string_view cut(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace

Result<std::vector<std::string>> read_newest(filelog::FileSystem& files, const std::string& path, size_t limit, std::string_view reason) {
  std::vector<std::string> newest;
  const auto exists = files.exists(path);
  if (!exists) return tl::unexpected<Error>(exists.error());
  if (!*exists) return newest;
  const auto file = files.open_to_read(path);
  if (!file) return tl::unexpected<Error>(file.error());
  const auto size = (*file)->size();
  if (!size) return tl::unexpected<Error>(size.error());
  std::string tail(static_cast<size_t>(std::min(*size, kTailBytes)), '\0');
  const auto read = (*file)->read_at(*size - tail.size(), tail);
  if (!read) return tl::unexpected<Error>(read.error());
  tail.resize(*read);
  // The last line may be half written, the first one cut.
  size_t end = tail.rfind('\n');
  const std::string wanted = "\"reason\":\"" + std::string(reason) + "\"";
  while (end != std::string::npos && end > 0 && newest.size() < limit) {
    const size_t before = tail.rfind('\n', end - 1);
    if (before == std::string::npos && tail.size() < *size) break;
    const size_t begin = before == std::string::npos ? 0 : before + 1;
    const std::string_view line = std::string_view(tail).substr(begin, end - begin);
    // `raw` comes behind it, and has its quotes escaped.
    if (reason.empty() || line.find(wanted) != std::string_view::npos) newest.emplace_back(line);
    end = before;
  }
  std::reverse(newest.begin(), newest.end());
  return newest;
}

bool append_shown(std::string_view line, std::string& out) {
  const auto letter = nlohmann::json::parse(line.begin(), line.end(), nullptr, false);
  const auto text = [&](const char* name) -> const std::string* {
    const auto found = letter.find(name);
    return found == letter.end() ? nullptr : found->get_ptr<const std::string*>();
  };
  const auto number = [&](const char* name) -> const uint64_t* {
    const auto found = letter.find(name);
    return found == letter.end() ? nullptr : found->get_ptr<const uint64_t*>();
  };
  if (!letter.is_object() || text("partition") == nullptr || text("reason") == nullptr || number("offset") == nullptr) return false;
  codec::JsonWriter json(out);
  json.begin_object();
  if (const auto* topic = text("topic")) json.name("topic"), json.string(*topic);
  json.name("partition"), json.string(*text("partition"));
  json.name("offset"), json.unsigned_integer(*number("offset"));
  if (const auto* line_number = number("line")) json.name("line"), json.unsigned_integer(*line_number);
  json.name("reason"), json.string(*text("reason"));
  const auto* raw = text("raw");
  const auto* encoded = text("raw_base64");
  if (const auto* bytes = number("bytes")) {
    json.name("bytes"), json.unsigned_integer(*bytes);
  } else if (raw != nullptr && raw->size() > kShownRaw) {
    json.name("bytes"), json.unsigned_integer(raw->size());
  } else if (encoded != nullptr && encoded->size() > kShownBase64) {
    json.name("bytes"), json.unsigned_integer(encoded->size() / 4 * 3 - static_cast<size_t>(std::count(encoded->end() - 2, encoded->end(), '=')));
  }
  if (raw != nullptr) json.name("raw"), json.string(cut(*raw, kShownRaw));
  if (encoded != nullptr) json.name("raw_base64"), json.string(std::string_view(*encoded).substr(0, kShownBase64));
  json.end_object();
  return true;
}

}  // namespace segue::api
