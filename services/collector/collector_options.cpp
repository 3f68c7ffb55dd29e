// SPDX-License-Identifier: Apache-2.0
#include "services/collector/collector_options.h"

#include "lib/http/access_log.h"

namespace segue::collector {

Result<CollectorOptions> collector_options(const config::Config& config) {
  const config::CollectorConfig& from = config.collector;
  CollectorOptions options;
  auto address = http::parse_listen_address(from.listen);
  if (!address) return fail(ErrorClass::kUsage, "collector.listen: " + address.error().message);
  options.address = std::move(*address);
  options.max_connections = from.connections;
  options.max_body_bytes = from.body_bytes;
  options.events_per_second = from.rate;
  options.tracking.pages = from.pages;
  options.tracking.anonymous_prefix = from.anonymous_prefix;
  options.tracking.max_call_bytes = from.call_bytes;
  if (auto set = options.tracking.names.set_all(from.events); !set) return fail(ErrorClass::kUsage, "collector.events: " + set.error().message);
  if (from.certificate_file.empty() != from.key_file.empty()) {
    return fail(ErrorClass::kUsage, "collector.certificate_file and collector.key_file are given together or not at all");
  }
  if (!from.certificate_file.empty()) options.tls = http::TlsFiles{from.certificate_file, from.key_file};
  if (!from.keys_file.empty()) {
    auto keys = http::Keyring::open(from.keys_file, http::TokenLines::kWriteKeys);
    if (!keys) return fail(ErrorClass::kUsage, "collector.keys_file: " + keys.error().message);
    options.write_keys = std::move(*keys);
  }
  options.metrics = std::make_shared<http::RequestMetrics>();
  options.on_answer = http::access_log();
  return options;
}

}  // namespace segue::collector
