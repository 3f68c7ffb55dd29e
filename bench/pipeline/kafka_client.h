// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// librdkafka as plainly as it goes: the benchmarks measure brokers and other programs with it, and what it can do by itself. Any failure ends the
// process with the reason.
namespace segue::bench {

[[noreturn]] void die(const std::string& reason);
// rd_kafka_error_t* of the transactional calls; null is success.
void check(rd_kafka_error_t* error, const char* what);

// Seconds since 1970, as other processes of the machine see it too.
double now_seconds();
// CPU seconds of this process so far, user and system.
double cpu_seconds();

using Properties = std::vector<std::pair<std::string, std::string>>;

struct ClientCloser {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using Client = std::unique_ptr<rd_kafka_t, ClientCloser>;

struct QueueCloser {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
using Queue = std::unique_ptr<rd_kafka_queue_t, QueueCloser>;

struct PartitionListCloser {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, PartitionListCloser>;

// `opaque` is what callbacks get. Requires properties that librdkafka knows.
Client make_client(rd_kafka_type_t type, const Properties& properties, rd_kafka_conf_t* conf = nullptr, void* opaque = nullptr);

struct Ends {
  int64_t low = 0;
  int64_t high = 0;
};
// For every partition of a topic.
std::vector<Ends> query_ends(rd_kafka_t* client, const std::string& topic);

// A consumer of every partition of a topic, without a group; from `low`, or from `high` where at_end.
Client make_reader(const std::string& brokers, const std::string& topic, const Properties& properties, bool at_end, std::vector<Ends>& ends);

// The value of "key":"..." in a flat JSON object without escapes in it; empty where it is absent.
std::string_view text_field(std::string_view json, std::string_view key);

// An idempotent producer to one topic; equal keys go to equal partitions, as Java's clients do it.
class Producer {
 public:
  Producer(const std::string& brokers, const std::string& topic, const Properties& properties);
  ~Producer();

  // Waits while librdkafka's queue is full.
  void send(std::string_view key, std::string_view value);
  void poll() { rd_kafka_poll(client_.get(), 0); }
  // Waits until everything is stored; dies when something was not.
  void flush();

 private:
  static void delivered(rd_kafka_t* client, const rd_kafka_message_t* message, void* self);

  std::atomic<uint64_t> failed_{0};
  Client client_;
  rd_kafka_topic_t* topic_ = nullptr;
};

}  // namespace segue::bench
