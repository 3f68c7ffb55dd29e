// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "lib/intake/event_sink.h"
#include "lib/kafka/client.h"
#include "lib/kafka/client_options.h"

namespace segue::kafka {

// Events into the input topic: idempotent, acknowledged by all in-sync replicas, key = user_id, partition by ClientOptions::partitioner. A
// request's completion comes with the delivery report of its last record.
class EventProducer final : public intake::EventSink {
 public:
  struct Options {
    size_t queue_bytes = size_t{64} << 20;  // beyond it submit() is kFull
    // Records that were not acknowledged for so long fail with kRetry.
    std::chrono::milliseconds patience{10'000};
    std::chrono::milliseconds linger{5};
  };
  struct Totals {
    uint64_t bytes = 0;   // acknowledged
    uint64_t errors = 0;  // records that were not
    uint64_t waiting_bytes = 0;
  };

  // Asks no broker yet.
  static Result<std::unique_ptr<EventProducer>> open(const ClientOptions& client, Options options);
  // As stop() without patience.
  ~EventProducer() override;

  intake::Admission submit(std::span<const intake::SinkRecord> records, Completion done) override;
  // Takes nothing more, waits for acknowledgements, and fails what is left after `limit`.
  void stop(std::chrono::milliseconds limit);

  // The producer is of no more use: its process has to start again.
  std::optional<Error> fatal() const;
  bool connected() const { return client_->connected(); }
  Totals totals() const;

 private:
  struct Request;

  EventProducer(const ClientOptions& client, Options options) : options_(options), topic_name_(client.topics.input) {}
  Result<> open(const ClientOptions& client);
  void on_delivered(const rd_kafka_message_t& message);
  void settle(Request& request, const Error* error, size_t bytes);
  void note_fatal();
  void run();

  const Options options_;
  const std::string topic_name_;
  std::atomic<size_t> waiting_bytes_{0};
  std::atomic<uint64_t> acknowledged_bytes_{0};
  std::atomic<uint64_t> errors_{0};
  std::atomic<int> submitting_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> ended_{false};
  mutable std::mutex mutex_;
  std::optional<Error> fatal_;  // under mutex_
  std::unique_ptr<Client> client_;
  Owned<rd_kafka_topic_t> topic_;
  std::thread thread_;  // serves delivery reports
};

}  // namespace segue::kafka
