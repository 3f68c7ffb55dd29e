// SPDX-License-Identifier: Apache-2.0
#include "lib/http/access_log.h"

#include <memory>

#include "lib/telemetry/log.h"

namespace segue::http {

std::function<void(const AccessRecord&)> access_log() {
  namespace log = telemetry::log;
  return [throttle = std::make_shared<log::Throttle>(std::chrono::seconds(10))](const AccessRecord& record) {
    const std::string_view route = record.route.empty() ? "none" : record.route;
    if (record.status == 401 || record.status == 403) {
      throttle->warn("login refused", {{"route", route}, {"status", record.status}, {"remote_ip", record.remote_ip}, {"token", record.token_name}});
    }
    if (!log::is_on(log::Level::kDebug)) return;
    log::debug("request", {{"method", record.method},
                           {"route", route},
                           {"status", record.status},
                           {"duration_us", record.duration.count()},
                           {"request_bytes", record.request_bytes},
                           {"response_bytes", record.response_bytes},
                           {"remote_ip", record.remote_ip},
                           {"token", record.token_name}});
  };
}

bool reload_and_tell(Server& server, std::string_view listener) {
  namespace log = telemetry::log;
  const auto reloaded = server.reload();
  if (!reloaded) {
    log::error("certificate or tokens stay as they were: the new ones cannot be used",
               {{"listener", listener}, {"reason", reloaded.error().message}});
  } else if (*reloaded) {
    log::info("certificate and tokens were read again", {{"listener", listener}});
  }
  return reloaded.has_value();
}

}  // namespace segue::http
