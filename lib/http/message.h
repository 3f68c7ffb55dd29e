// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace segue::http {

struct Request {
  std::string method;  // "GET"
  std::string path;    // without the query, as it was sent
  std::string query;   // behind the question mark
};

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string allow = {};  // the Allow header, where not empty
};

// Called on the server's thread, one request at a time; must not block for long and must not throw.
using Handler = std::function<Response(const Request&)>;

}  // namespace segue::http
