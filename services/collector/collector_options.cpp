// SPDX-License-Identifier: Apache-2.0
#include "services/collector/collector_options.h"

#include <sstream>
#include <vector>

#include "lib/filelog/posix_file_system.h"
#include "lib/http/access_log.h"

namespace segue::collector {

Result<http::TokenTable> parse_write_keys(std::string_view text) {
  std::vector<http::TokenOptions> keys;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (size_t number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    http::TokenOptions key;
    std::string more;
    if (!(words >> key.name) || key.name.front() == '#') continue;
    if (!(words >> key.sha256) || words >> more) {
      return fail(ErrorClass::kUsage, "line " + std::to_string(number) + ": expected a name and the SHA-256 of a write key");
    }
    key.scopes = "write";
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return fail(ErrorClass::kUsage, "has no write key");
  return http::TokenTable::make(keys);
}

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
    filelog::PosixFileSystem files;
    const auto text = filelog::read_file(files, from.keys_file);
    if (!text) return fail(ErrorClass::kUsage, "collector.keys_file: " + text.error().message);
    auto keys = parse_write_keys(*text);
    if (!keys) return fail(ErrorClass::kUsage, "collector.keys_file: " + from.keys_file + ": " + keys.error().message);
    options.write_keys = std::make_shared<const http::TokenTable>(std::move(*keys));
  }
  options.metrics = std::make_shared<http::RequestMetrics>();
  options.on_answer = http::access_log();
  return options;
}

}  // namespace segue::collector
