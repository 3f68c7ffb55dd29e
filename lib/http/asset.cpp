// SPDX-License-Identifier: Apache-2.0
#include "lib/http/asset.h"

#include <algorithm>

#include "lib/base/hash.h"

namespace segue::http {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Calls `matches` with each piece between commas until one does.
template <class Matches>
bool any_of_list(std::string_view list, Matches matches) {
  while (!list.empty()) {
    const std::string_view piece = list.substr(0, list.find(','));
    list.remove_prefix(std::min(piece.size() + 1, list.size()));
    if (matches(trimmed(piece))) return true;
  }
  return false;
}

bool takes_gzip(std::string_view accept_encoding) {
  return any_of_list(accept_encoding, [](std::string_view piece) {
    const std::string_view coding = trimmed(piece.substr(0, piece.find(';')));
    const size_t weight = piece.find("q=");
    // "q=0", "q=0.0": not wanted
    const bool refused = weight != std::string_view::npos && piece.substr(weight + 2).find_first_not_of("0.") == std::string_view::npos;
    return !refused && (equal_ignoring_case(coding, "gzip") || coding == "*");
  });
}

}  // namespace

std::string make_etag(std::string_view bytes) { return "\"" + hash128_hex(bytes) + "\""; }

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  return any_of_list(if_none_match, [&](std::string_view piece) {
    if (piece.starts_with("W/")) piece.remove_prefix(2);  // compared weakly here (RFC 9110)
    return piece == "*" || piece == etag;
  });
}

Response answer_asset(const Request& request, const Asset& asset) {
  Response response{.content_type = asset.content_type};
  const bool gzip = asset.gzip_bytes && takes_gzip(request.header("Accept-Encoding"));
  // The two forms are different bytes, so they have different tags.
  std::string etag = asset.etag;
  if (gzip && etag.size() > 1) etag.insert(etag.size() - 1, "-gzip");
  response.headers = {{"Cache-Control", asset.cache_control}, {"ETag", etag}};
  if (asset.gzip_bytes) response.headers.push_back({"Vary", "Accept-Encoding"});
  if (matches_etag(request.header("If-None-Match"), etag)) {
    response.status = 304;
    return response;
  }
  if (gzip) response.headers.push_back({"Content-Encoding", "gzip"});
  response.shared_body = gzip ? asset.gzip_bytes : asset.bytes;
  return response;
}

}  // namespace segue::http
