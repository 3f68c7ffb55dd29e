// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lib/base/time.h"

namespace segue::config {

// Names and values of librdkafka.
using Properties = std::map<std::string, std::string>;

struct StateConfig {
  std::string directory;
  uint64_t cache_profiles = 1'000'000;
  uint64_t dirty_profiles = 400'000;
  uint64_t block_cache_bytes = 256 << 20;
  bool operator==(const StateConfig&) const = default;
};

// How clients prove who they are. load() puts the content of username_file, password_file and key_password_file in the place of the value.
struct SecurityConfig {
  std::string protocol = "plaintext";  // librdkafka's security.protocol
  std::string mechanism;               // librdkafka's sasl.mechanism
  std::string username;
  std::string username_file;
  std::string password;
  std::string password_file;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  std::string key_password;  // only ever from the file
  std::string key_password_file;
  bool operator==(const SecurityConfig&) const = default;
};

struct KafkaConfig {
  std::string brokers;
  std::string input = "events";
  std::string transitions = "transitions";
  std::string dead_letters = "events.dlq";
  std::string journal = "segue.journal";
  std::string instances = "segue.instances";
  std::string group;  // the application's name where the file has none
  std::string partitioner = "murmur2";
  uint64_t workers = 1;
  Properties properties;  // for consumers and producers
  Properties consumer;
  Properties producer;
  SecurityConfig security;
  bool operator==(const KafkaConfig&) const = default;
};

struct CommitConfig {
  Duration interval{1'000};
  uint64_t outputs = 5'000;
  uint64_t bytes = 8 << 20;
  uint64_t events = 500'000;
  bool operator==(const CommitConfig&) const = default;
};

struct ClockConfig {
  bool follow_wall_clock = true;
  Duration step{10'000};
  Duration future_bound{300'000};
  Duration jump_bound{3'600'000};
  bool operator==(const ClockConfig&) const = default;
};

struct CheckpointConfig {
  uint64_t events = 1'000'000;
  Duration interval{30'000};
  bool operator==(const CheckpointConfig&) const = default;
};

struct SnapshotsConfig {
  std::string directory;  // empty: no snapshots
  Duration interval{600'000};
  uint64_t keep = 3;
  bool operator==(const SnapshotsConfig&) const = default;
};

struct EmbeddedConfig {
  uint64_t partitions = 0;  // as many as there are; of a new log 1
  bool operator==(const EmbeddedConfig&) const = default;
};

struct HttpConfig {
  std::string listen = "127.0.0.1:9464";  // empty: no server
  bool operator==(const HttpConfig&) const = default;
};

// In the place of an address: no listener.
inline constexpr std::string_view kNoListener = "none";

// The API and the console (docs/api.md).
struct ApiConfig {
  std::string listen;            // empty: none in the engine; `segue up` has its own default
  std::string tokens_file;       // empty: none; then on this machine only
  std::string certificate_file;  // with key_file: TLS
  std::string key_file;
  bool console = true;
  std::string advertise;            // host:port that other instances reach; empty: what it listens on
  std::string instance_token_file;  // has the token that this instance shows to others
  std::string ca_file;              // empty: others are asked in the clear
  bool operator==(const ApiConfig&) const = default;
};
// Whether an engine has an API.
inline bool is_served(const ApiConfig& api) { return !api.listen.empty() && api.listen != kNoListener; }

// Events over HTTP into the log (docs/collector.md).
struct CollectorConfig {
  std::string listen = "127.0.0.1:9465";
  std::string log;        // directory of an embedded log; empty: the topic kafka.input
  std::string keys_file;  // empty: no write keys
  std::string certificate_file;
  std::string key_file;
  std::string anonymous_prefix = "anon:";
  bool pages = true;
  Properties events;  // names of track calls to types
  uint64_t body_bytes = 512 << 10;
  uint64_t call_bytes = 32 << 10;
  uint64_t queue_bytes = 64 << 20;
  uint64_t rate = 0;
  uint64_t connections = 1024;
  bool operator==(const CollectorConfig&) const = default;
};

struct LogConfig {
  std::string level = "info";
  std::string format = "text";
  bool operator==(const LogConfig&) const = default;
};

// segue.yaml as plain values, each as docs/configuration.md describes it. The engine's wiring turns them into the options of the other folders.
struct Config {
  std::string application = "segue";
  std::string instance;     // the host's name where the file has none
  std::string definitions;  // file; empty: those that are built in
  std::string standby = "none";
  StateConfig state;
  KafkaConfig kafka;
  CommitConfig commit;
  ClockConfig clock;
  CheckpointConfig checkpoint;
  SnapshotsConfig snapshots;
  EmbeddedConfig embedded;
  HttpConfig http;
  ApiConfig api;
  CollectorConfig collector;
  LogConfig log;
  bool operator==(const Config&) const = default;
};

}  // namespace segue::config
