// SPDX-License-Identifier: Apache-2.0
#include "lib/http/router.h"

namespace segue::http {

Response Router::operator()(const Request& request) const {
  const auto route = routes_.find(request.path);
  if (route == routes_.end()) return {.status = 404, .body = "not found\n"};
  if (request.method != "GET" && request.method != "HEAD") return {.status = 405, .body = "method not allowed\n", .allow = "GET, HEAD"};
  return route->second(request);
}

}  // namespace segue::http
