// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "lib/base/hash.h"

namespace segue::kafka {

// The four topics of an application. Partition i of each belongs to shard i.
enum class Topic : uint8_t { kInput, kTransitions, kDeadLetters, kJournal };
inline constexpr size_t kTopics = 4;
inline constexpr std::array<Topic, kTopics> kAllTopics = {Topic::kInput, Topic::kTransitions, Topic::kDeadLetters, Topic::kJournal};

struct Topics {
  std::string input = "events";
  std::string transitions = "transitions";
  std::string dead_letters = "events.dlq";
  std::string journal = "segue.journal";

  const std::string& name(Topic topic) const {
    switch (topic) {
      case Topic::kInput:
        return input;
      case Topic::kTransitions:
        return transitions;
      case Topic::kDeadLetters:
        return dead_letters;
      case Topic::kJournal:
        return journal;
    }
    return input;
  }
};

// Empty fields are not passed to librdkafka. Contents of secret files are read by whoever fills this in; paths are librdkafka's to read.
struct Security {
  std::string protocol;   // plaintext, ssl, sasl_plaintext, sasl_ssl
  std::string mechanism;  // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, ...
  std::string username;
  std::string password;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  std::string key_password;
};

// What is known not to work of it with this version of librdkafka (as rd_kafka_version() gives it), as one sentence; empty when there is nothing.
std::string login_concern(const Security& security, int librdkafka_version);
// The same of the version in use.
std::string login_concern(const Security& security);

// How to reach the brokers, and under which names.
struct ClientOptions {
  std::string brokers;  // host:port,host:port
  std::string application = "segue";
  std::string group;     // of the consumers; empty: the application's name
  std::string instance;  // group.instance.id; two processes of a group must not share it
  Topics topics;
  Partitioner partitioner = Partitioner::kMurmur2;  // of the events that we write
  Security security;
  // Any librdkafka property, by its name there: for every handle, for those that read, for those that write. Win over our defaults, but not over
  // what exactly once rests on (isolation.level, enable.idempotence, transactional.id, ...): those are set last.
  std::map<std::string, std::string> properties;
  std::map<std::string, std::string> consumer;
  std::map<std::string, std::string> producer;
  // Bytes that are fetched ahead of the application for each partition that is read. The sum over the partitions bounds the process.
  size_t prefetch_bytes_per_partition = 8 << 20;
  // librdkafka's own lines, severity as in syslog (3 error, 4 warning, 6 info). From any thread; must not block. Empty: dropped.
  std::function<void(int severity, std::string_view text)> log;

  const std::string& group_id() const { return group.empty() ? application : group; }
};

}  // namespace segue::kafka
