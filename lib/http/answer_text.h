// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lib/http/message.h"

namespace segue::http {

struct HeadOptions {
  unsigned minor_version = 1;
  bool keep_alive = true;
  bool stream = false;         // no length: in chunks, or up to the end of the connection for HTTP/1.0
  std::string_view date = {};  // "Thu, 01 Jan 1970 00:00:00 GMT"; none is sent where empty
};

// Status line and headers up to the empty line. Control characters in values become spaces, so that no value begins another header.
std::string head_text(const Response& response, const HeadOptions& options);
// Appends one chunk; nothing for no bytes, which would end the body.
void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace segue::http
