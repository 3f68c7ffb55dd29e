// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace segue::http {

struct Header {
  std::string name;
  std::string value;
};
// A name with its value: of a query, or of a path's template.
struct Parameter {
  std::string name;
  std::string value;
};
// Bytes that several answers share: a page, an asset.
using SharedBytes = std::shared_ptr<const std::string>;

struct Request {
  std::string method;  // "GET"; a HEAD comes as HEAD, its answer's body is dropped
  std::string path;    // without the query, as it was sent: goes into no log
  std::string query;   // behind the question mark, as it was sent
  std::vector<Header> headers = {};
  std::string body = {};                        // already decompressed
  std::vector<Parameter> parameters = {};       // of the query, decoded; in order, a name may repeat
  std::vector<Parameter> path_parameters = {};  // of the route's template, decoded
  std::string_view route = {};                  // "/v1/profiles/{user_id}": for logs and metrics; lives as long as the server
  std::string remote_ip = {};
  std::string token_name = {};  // of the bearer token that was accepted; empty: none was asked for

  // By case-insensitive name, the first of that name.
  std::optional<std::string_view> find_header(std::string_view name) const;
  // The same, empty where it is absent.
  std::string_view header(std::string_view name) const;
  // The first query parameter of that name.
  std::optional<std::string_view> find_parameter(std::string_view name) const;
  // Requires a name of the template.
  const std::string& path_parameter(std::string_view name) const;
  // The first query parameter that is none of these; a handler answers 400 to it.
  std::optional<std::string_view> find_unknown_parameter(std::initializer_list<std::string_view> known) const;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";  // none is sent where empty
  std::string body = {};
  std::string allow = {};            // the Allow header, where not empty
  std::vector<Header> headers = {};  // Cache-Control is no-store where it is not among them
  SharedBytes shared_body = {};      // sent instead of body where not null
  bool close = false;                // the connection ends with this answer

  std::string_view content() const { return shared_body ? std::string_view(*shared_body) : std::string_view(body); }
};

// RFC 9457: {"type":"about:blank","title":"Not Found","status":404,"detail":"…"}. The detail names no user and no secret.
Response problem(unsigned status, std::string_view detail = {});
// "Not Found"; "Unknown" of a number without a name.
std::string_view reason_phrase(unsigned status);
bool equal_ignoring_case(std::string_view a, std::string_view b);
// The text as a JSON string, with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

// Answers at once. Called on a server's thread; must not block for long and must not throw.
using Handler = std::function<Response(const Request&)>;

}  // namespace segue::http
