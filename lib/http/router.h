// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "lib/http/message.h"

namespace segue::http {

// Paths to handlers. Answers 404 for an unknown path, and 405 with Allow for a known one by another method.
class Router {
 public:
  // Also answers HEAD: the server sends no body then.
  void get(std::string path, Handler handler) { routes_[std::move(path)] = std::move(handler); }

  Response operator()(const Request& request) const;

 private:
  std::map<std::string, Handler> routes_;
};

}  // namespace segue::http
