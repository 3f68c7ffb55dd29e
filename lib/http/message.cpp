// SPDX-License-Identifier: Apache-2.0
#include "lib/http/message.h"

#include <algorithm>

#include "lib/base/assert.h"

namespace segue::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// Length of the UTF-8 sequence at the start of `text`; 0 where there is none.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if ((first & 0xF0u) == 0xE0) {
    if (!follows(1) || !follows(2) || (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
    return 3;
  }
  if (first < 0xF0 || first > 0xF4 || !follows(1) || !follows(2) || !follows(3)) return 0;
  return (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F) ? 0 : 4;
}

template <class Items>
auto find_named(const Items& items, std::string_view name) {
  return std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.name == name; });
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Request::find_header(std::string_view name) const {
  for (const Header& header : headers)
    if (equal_ignoring_case(header.name, name)) return header.value;
  return std::nullopt;
}

std::string_view Request::header(std::string_view name) const { return find_header(name).value_or(std::string_view()); }

std::optional<std::string_view> Request::find_parameter(std::string_view name) const {
  const auto found = find_named(parameters, name);
  if (found == parameters.end()) return std::nullopt;
  return found->value;
}

const std::string& Request::path_parameter(std::string_view name) const {
  const auto found = find_named(path_parameters, name);
  SEGUE_ASSERT(found != path_parameters.end());
  return found->value;
}

std::optional<std::string_view> Request::find_unknown_parameter(std::initializer_list<std::string_view> known) const {
  for (const Parameter& parameter : parameters)
    if (std::find(known.begin(), known.end(), parameter.name) == known.end()) return parameter.name;
  return std::nullopt;
}

std::string_view reason_phrase(unsigned status) {
  static constexpr std::pair<unsigned, std::string_view> kPhrases[] = {{100, "Continue"},
                                                                       {101, "Switching Protocols"},
                                                                       {200, "OK"},
                                                                       {201, "Created"},
                                                                       {202, "Accepted"},
                                                                       {204, "No Content"},
                                                                       {206, "Partial Content"},
                                                                       {301, "Moved Permanently"},
                                                                       {302, "Found"},
                                                                       {303, "See Other"},
                                                                       {304, "Not Modified"},
                                                                       {307, "Temporary Redirect"},
                                                                       {308, "Permanent Redirect"},
                                                                       {400, "Bad Request"},
                                                                       {401, "Unauthorized"},
                                                                       {403, "Forbidden"},
                                                                       {404, "Not Found"},
                                                                       {405, "Method Not Allowed"},
                                                                       {406, "Not Acceptable"},
                                                                       {408, "Request Timeout"},
                                                                       {409, "Conflict"},
                                                                       {410, "Gone"},
                                                                       {411, "Length Required"},
                                                                       {412, "Precondition Failed"},
                                                                       {413, "Content Too Large"},
                                                                       {414, "URI Too Long"},
                                                                       {415, "Unsupported Media Type"},
                                                                       {417, "Expectation Failed"},
                                                                       {421, "Misdirected Request"},
                                                                       {422, "Unprocessable Content"},
                                                                       {428, "Precondition Required"},
                                                                       {429, "Too Many Requests"},
                                                                       {431, "Request Header Fields Too Large"},
                                                                       {500, "Internal Server Error"},
                                                                       {501, "Not Implemented"},
                                                                       {502, "Bad Gateway"},
                                                                       {503, "Service Unavailable"},
                                                                       {504, "Gateway Timeout"},
                                                                       {505, "HTTP Version Not Supported"},
                                                                       {507, "Insufficient Storage"}};
  for (const auto& [number, phrase] : kPhrases)
    if (number == status) return phrase;
  return "Unknown";
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    const char c = text.front();
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (static_cast<unsigned char>(c) < 0x20) {
      static constexpr char kDigits[] = "0123456789abcdef";
      out.append({'\\', 'u', '0', '0', kDigits[c >> 4], kDigits[c & 15]});
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out += '"';
}

Response problem(unsigned status, std::string_view detail) {
  Response response{.status = status, .content_type = "application/problem+json"};
  response.body = "{\"type\":\"about:blank\",\"title\":" + json_string(reason_phrase(status)) + ",\"status\":" + std::to_string(status);
  if (!detail.empty()) response.body += ",\"detail\":" + json_string(detail);
  response.body += "}\n";
  return response;
}

}  // namespace segue::http
