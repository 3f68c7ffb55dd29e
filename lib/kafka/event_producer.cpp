// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/event_producer.h"

#include <algorithm>
#include <utility>

#include "lib/kafka/errors.h"

namespace segue::kafka {
namespace {

// As librdkafka calls it; a record always has a key.
std::string partitioner_property(Partitioner partitioner) {
  switch (partitioner) {
    case Partitioner::kMurmur2:
      return "murmur2_random";
    case Partitioner::kCrc32:
      return "consistent_random";
    case Partitioner::kFnv1a:
      return "fnv1a_random";
  }
  return {};
}

}  // namespace

// What one submit() waits for. Deleted by whoever settles it last.
struct EventProducer::Request {
  std::atomic<size_t> left;
  Completion done;
  std::mutex mutex;
  std::optional<Error> error;  // the first
};

Result<std::unique_ptr<EventProducer>> EventProducer::open(const ClientOptions& client, Options options) {
  std::unique_ptr<EventProducer> producer(new EventProducer(client, options));
  SEGUE_TRY(producer->open(client));
  return producer;
}

Result<> EventProducer::open(const ClientOptions& client) {
  const std::string patience = std::to_string(options_.patience.count());
  const Properties forced = {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"max.in.flight.requests.per.connection", "5"},
      {"delivery.report.only.error", "false"},
      {"partitioner", partitioner_property(client.partitioner)},
      {"message.timeout.ms", patience},
      // Ours is the limit that decides: librdkafka's must not be hit first.
      {"queue.buffering.max.messages", "10000000"},
      {"queue.buffering.max.kbytes", std::to_string(options_.queue_bytes / 512 + 65536)},
      {"linger.ms", std::to_string(options_.linger.count())},
  };
  Client::Callbacks callbacks;
  callbacks.delivered = [this](const rd_kafka_message_t& message) { on_delivered(message); };
  callbacks.error = [this](rd_kafka_resp_err_t code, std::string_view) {
    if (code == RD_KAFKA_RESP_ERR__FATAL) note_fatal();
  };
  auto opened = Client::open(client, ClientKind::kEvents, forced, std::move(callbacks));
  if (!opened) return tl::unexpected(std::move(opened).error());
  client_ = std::move(*opened);
  auto topic = client_->topic(topic_name_);
  if (!topic) return tl::unexpected(std::move(topic).error());
  topic_ = std::move(*topic);
  thread_ = std::thread([this] { run(); });
  return {};
}

EventProducer::~EventProducer() { stop(std::chrono::milliseconds{0}); }

void EventProducer::stop(std::chrono::milliseconds limit) {
  stopping_.store(true);
  if (!thread_.joinable()) return;
  // A submit() that did not see it yet finishes first.
  while (submitting_.load() != 0) std::this_thread::yield();
  rd_kafka_flush(client_->get(), static_cast<int>(limit.count()));
  rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  // The reports of what was purged.
  while (waiting_bytes_.load() != 0) rd_kafka_poll(client_->get(), 10);
  ended_.store(true);
  thread_.join();
}

void EventProducer::run() {
  while (!ended_.load()) client_->poll(100);
}

std::optional<Error> EventProducer::fatal() const {
  const std::lock_guard lock(mutex_);
  return fatal_;
}

void EventProducer::note_fatal() {
  char text[512] = "";
  const rd_kafka_resp_err_t code = rd_kafka_fatal_error(client_->get(), text, sizeof text);
  const std::lock_guard lock(mutex_);
  if (!fatal_) fatal_ = error_from(code, "writing to " + topic_name_, text);
}

EventProducer::Totals EventProducer::totals() const { return {acknowledged_bytes_.load(), errors_.load(), waiting_bytes_.load()}; }

intake::Admission EventProducer::submit(std::span<const intake::SinkRecord> records, Completion done) {
  size_t bytes = 0;
  for (const intake::SinkRecord& record : records) bytes += record.line.size() + record.user_id.size();
  submitting_.fetch_add(1);
  struct Leave {
    std::atomic<int>& count;
    ~Leave() { count.fetch_sub(1); }
  } leave{submitting_};
  if (stopping_.load()) return intake::Admission::kStopped;
  size_t waiting = waiting_bytes_.load();
  do {
    // A request above the limit may come when nothing waits.
    if (waiting != 0 && waiting + bytes > options_.queue_bytes) return intake::Admission::kFull;
  } while (!waiting_bytes_.compare_exchange_weak(waiting, waiting + bytes));

  // One more than the records, so that it cannot end before all are handed over.
  auto* const request = new Request{.left = records.size() + 1, .done = std::move(done), .mutex = {}, .error = {}};
  for (const intake::SinkRecord& record : records) {
    const size_t size = record.line.size() + record.user_id.size();
    const int failed = rd_kafka_produce(topic_.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, const_cast<char*>(record.line.data()),
                                        record.line.size(), record.user_id.data(), record.user_id.size(), request);
    if (failed == 0) continue;
    const Error error = error_from(rd_kafka_last_error(), "writing to " + topic_name_);
    settle(*request, &error, size);
  }
  settle(*request, nullptr, 0);
  return intake::Admission::kTaken;
}

void EventProducer::on_delivered(const rd_kafka_message_t& message) {
  auto& request = *static_cast<Request*>(message._private);
  const size_t size = message.len + message.key_len;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) return settle(request, nullptr, size);
  const Error error = error_from(message.err, "writing to " + topic_name_);
  settle(request, &error, size);
}

// One record of the request is done with; `bytes` 0: none, it was handed over.
void EventProducer::settle(Request& request, const Error* error, size_t bytes) {
  if (error != nullptr) {
    errors_.fetch_add(1);
    const std::lock_guard lock(request.mutex);
    // Whatever it was, the client may come again; a fatal error ends the process meanwhile.
    if (!request.error) request.error = Error{ErrorClass::kRetry, error->message};
  } else {
    acknowledged_bytes_.fetch_add(bytes);
  }
  const bool last = request.left.fetch_sub(1) == 1;
  if (last) {
    Result<> result;
    if (request.error) result = tl::unexpected(*request.error);
    request.done(result);
    delete &request;
  }
  waiting_bytes_.fetch_sub(bytes);
}

}  // namespace segue::kafka
