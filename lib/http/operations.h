// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lib/base/result.h"
#include "lib/http/server.h"

namespace segue::http {

// What operations ask of a process, by threads of the listener.
struct Operations {
  std::function<Response()> livez;       // null: always 200
  std::function<Response()> readyz;      // 200: requests and work should come here
  std::function<std::string()> metrics;  // the text of a telemetry::MetricPage
};

// Serves /livez, /readyz and /metrics on a listener of their own (`http.listen`), to anybody who reaches it. Null where `listen` is empty. kUsage
// says what is wrong with the address.
Result<std::unique_ptr<Server>> serve_operations(const std::string& listen, Operations operations);

}  // namespace segue::http
