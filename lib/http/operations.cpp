// SPDX-License-Identifier: Apache-2.0
#include "lib/http/operations.h"

#include "lib/telemetry/metric_page.h"

namespace segue::http {

Result<std::unique_ptr<Server>> serve_operations(const std::string& listen, Operations operations) {
  if (listen.empty()) return nullptr;
  const auto address = parse_listen_address(listen);
  if (!address) return tl::unexpected<Error>(address.error());
  Router router;
  router.get("/livez", [livez = std::move(operations.livez)](const Request&) { return livez ? livez() : Response{.body = "ok\n"}; });
  router.get("/readyz", [readyz = std::move(operations.readyz)](const Request&) { return readyz(); });
  router.get("/metrics", [metrics = std::move(operations.metrics)](const Request&) {
    return Response{.content_type = std::string(telemetry::MetricPage::kContentType), .body = metrics()};
  });
  Server::Options options;
  options.address = *address;
  return Server::start(std::move(options), std::move(router));
}

}  // namespace segue::http
