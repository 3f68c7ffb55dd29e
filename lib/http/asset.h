// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "lib/http/message.h"

namespace segue::http {

// Bytes that do not change while the program runs: a page, a script. May be kept as gzip only.
struct Asset {
  std::string content_type;
  std::string cache_control = "no-cache";  // may be kept, must be asked after; "public, max-age=31536000, immutable" for names with a hash
  SharedBytes bytes = {};
  SharedBytes gzip_bytes = {};  // sent to clients that take gzip, where there is one
  std::string etag = {};        // make_etag
};

// A strong tag of these bytes, in its quotes.
std::string make_etag(std::string_view bytes);
// Does If-None-Match name this tag?
bool matches_etag(std::string_view if_none_match, std::string_view etag);
// 200 with the bytes, or 304.
Response answer_asset(const Request& request, const Asset& asset);

}  // namespace segue::http
