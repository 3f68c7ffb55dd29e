// SPDX-License-Identifier: Apache-2.0
#include "lib/http/answer_text.h"

#include <charconv>

namespace segue::http {
namespace {

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value) out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  out += "\r\n";
}

// 1xx, 204 and 304 have no body, and no length of one.
bool has_body(unsigned status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

std::string head_text(const Response& response, const HeadOptions& options) {
  std::string out;
  out.reserve(256);
  out.append(options.minor_version == 0 ? "HTTP/1.0 " : "HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reason_phrase(response.status)).append("\r\nServer: segue\r\n");
  if (!options.date.empty()) append_header(out, "Date", options.date);
  if (!response.content_type.empty() && has_body(response.status)) append_header(out, "Content-Type", response.content_type);
  if (!response.allow.empty()) append_header(out, "Allow", response.allow);
  bool cached = false;
  for (const Header& header : response.headers) {
    append_header(out, header.name, header.value);
    cached = cached || equal_ignoring_case(header.name, "Cache-Control");
  }
  if (!cached) out += "Cache-Control: no-store\r\n";
  out += "X-Content-Type-Options: nosniff\r\n";
  if (options.stream) {
    if (options.minor_version > 0) out += "Transfer-Encoding: chunked\r\n";
  } else if (has_body(response.status)) {
    out.append("Content-Length: ").append(std::to_string(response.content().size())).append("\r\n");
  }
  if (!options.keep_alive) {
    out += "Connection: close\r\n";
  } else if (options.minor_version == 0) {
    out += "Connection: keep-alive\r\n";
  }
  return out += "\r\n";
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  char size[16];
  const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  out.append(size, end).append("\r\n").append(bytes).append("\r\n");
}

}  // namespace segue::http
