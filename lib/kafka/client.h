// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/kafka/client_options.h"

namespace segue::kafka {

// Frees what librdkafka made.
struct Destroy {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
  void operator()(rd_kafka_consumer_group_metadata_t* metadata) const { rd_kafka_consumer_group_metadata_destroy(metadata); }
};
template <class Type>
using Owned = std::unique_ptr<Type, Destroy>;

enum class ClientKind : uint8_t { kReader, kGroupMember, kInspector, kTransactions, kEvents };

// Properties by name.
using Properties = std::map<std::string, std::string>;

// What a handle is told: our defaults, then the options', then `forced`, which exactly once rests on.
Properties properties_of(const ClientOptions& options, ClientKind kind, const Properties& forced = {});

// Requests whose late or repeated arrival could touch the next transaction: an unanswered one makes its producer doubtful.
bool is_transaction_request(int16_t api_key);
inline constexpr int16_t kProduceRequest = 0;
inline constexpr int16_t kEndTransactionRequest = 26;

// One handle of librdkafka, and what it tells of its connections. Callbacks come in poll() of the thread that calls it; what is atomic is written
// by librdkafka's threads.
class Client {
 public:
  struct Callbacks {
    std::function<void(rd_kafka_resp_err_t code, std::string_view text)> error;
    std::function<void(const rd_kafka_message_t& message)> delivered;
    std::function<void(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions)> rebalance;
  };

  static Result<std::unique_ptr<Client>> open(const ClientOptions& options, ClientKind kind, const Properties& forced, Callbacks callbacks);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* get() const { return handle_.get(); }
  // Serves callbacks of errors and deliveries.
  void poll(int timeout_ms) { rd_kafka_poll(handle_.get(), timeout_ms); }
  Result<Owned<rd_kafka_topic_t>> topic(const std::string& name);

  bool connected() const { return !all_down_.load(std::memory_order_relaxed); }
  // Requests that a broker has answered.
  uint64_t answers() const { return answers_.load(std::memory_order_relaxed); }
  // The last error that concerns the whole handle, cleared by the next answer of a broker.
  std::string last_error() const;
  void note_error(std::string text);
  // Transaction requests that were sent and not answered.
  int64_t unanswered() const { return unanswered_.load(std::memory_order_acquire); }

 private:
  Client(const ClientOptions& options, Callbacks callbacks) : log_(options.log), callbacks_(std::move(callbacks)) {}
  void set_callbacks(rd_kafka_conf_t* conf, ClientKind kind);
  void answered(int16_t api_key);

  const std::function<void(int, std::string_view)> log_;
  Callbacks callbacks_;
  std::atomic<bool> all_down_{false};
  std::atomic<uint64_t> answers_{0};
  std::atomic<bool> has_error_{false};
  std::atomic<int64_t> unanswered_{0};
  mutable std::mutex mutex_;
  std::string last_error_;    // under mutex_
  Owned<rd_kafka_t> handle_;  // last: its threads call the above until it is gone
};

}  // namespace segue::kafka
