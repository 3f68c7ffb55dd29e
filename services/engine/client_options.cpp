// SPDX-License-Identifier: Apache-2.0
#include "services/engine/client_options.h"

#include <memory>

#include "lib/base/assert.h"
#include "lib/telemetry/log.h"

namespace segue::engine {
namespace {

namespace log = telemetry::log;

// A broker that is away makes each of its clients say so every few seconds.
constexpr std::chrono::minutes kQuiet{1};
// syslog's
constexpr int kErrors = 3;
constexpr int kWarnings = 4;

}  // namespace

kafka::ClientOptions client_options(const config::Config& config) {
  kafka::ClientOptions options;
  options.brokers = config.kafka.brokers;
  options.application = config.application;
  options.group = config.kafka.group;
  options.instance = config.instance;
  options.topics = {config.kafka.input, config.kafka.transitions, config.kafka.dead_letters, config.kafka.journal};
  options.partitioner = partitioner(config);
  const config::SecurityConfig& security = config.kafka.security;
  options.security = {security.protocol, security.mechanism,        security.username, security.password,
                      security.ca_file,  security.certificate_file, security.key_file, security.key_password};
  options.properties = config.kafka.properties;
  options.consumer = config.kafka.consumer;
  options.producer = config.kafka.producer;
  const auto throttle = std::make_shared<log::Throttle>(kQuiet);
  options.log = [throttle](int severity, std::string_view text) {
    if (severity > kWarnings) return log::debug("kafka client", {{"text", text}});
    throttle->write(severity <= kErrors ? log::Level::kError : log::Level::kWarn, "kafka client", {{"text", text}});
  };
  return options;
}

Partitioner partitioner(const config::Config& config) {
  const auto known = parse_partitioner(config.kafka.partitioner);
  SEGUE_ASSERT(known);
  return *known;
}

}  // namespace segue::engine
