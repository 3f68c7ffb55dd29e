// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/record_reader.h"

#include <algorithm>
#include <utility>

#include "lib/kafka/errors.h"
#include "lib/kafka/record_reader_impl.h"

namespace segue::kafka {
namespace {

// How long a wait lasts before callbacks of errors are served again.
constexpr std::chrono::milliseconds kErrorsServed{200};

Record record_of(rd_kafka_message_t& message) {
  Record record;
  record.message = &message;
  record.key = {static_cast<const char*>(message.key), message.key_len};
  record.value = {static_cast<const char*>(message.payload), message.len};
  record.offset = static_cast<uint64_t>(message.offset);
  rd_kafka_timestamp_type_t type{};
  const int64_t ms = rd_kafka_message_timestamp(&message, &type);
  if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && ms >= 0) record.timestamp = time_from_ms(ms);
  record.log_append_time = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
  return record;
}

}  // namespace

std::optional<std::string_view> find_header(const Record& record, const char* name) {
  rd_kafka_headers_t* headers = nullptr;
  if (record.message == nullptr || rd_kafka_message_headers(record.message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  const void* value = nullptr;
  size_t size = 0;
  if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR || value == nullptr) return std::nullopt;
  return std::string_view(static_cast<const char*>(value), size);
}

void Doorbell::ring() {
  const std::lock_guard lock(mutex_);
  ringing_ = true;
  rung_.notify_one();
}

void Doorbell::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  rung_.notify_one();
}

void Doorbell::silence() {
  const std::lock_guard lock(mutex_);
  ringing_ = false;
}

bool Doorbell::wait_until(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  rung_.wait_until(lock, deadline, [this] { return ringing_ || woken_; });
  return std::exchange(woken_, false);
}

RecordReader::Impl::Impl(const ClientOptions& options, Limits limits, Defences defences)
    : limits_(limits), defences_(defences), names_(options.topics) {}

RecordReader::Impl::~Impl() {
  waker_.reset();
  release();
  for (auto& [source, reading] : readings_) close(reading);
  readings_.clear();
  for (auto& topic : topics_) topic.reset();
}

Result<> RecordReader::Impl::open(const ClientOptions& options) {
  const Properties forced = {
      {"fetch.wait.max.ms", std::to_string(limits_.fetch_wait.count())},
      {"isolation.level", "read_committed"},
      {"enable.auto.commit", "false"},
      {"auto.commit.enable", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
  };
  auto client = Client::open(options, ClientKind::kReader, forced, {});
  if (!client) return tl::unexpected(std::move(client).error());
  client_ = std::move(*client);
  waker_ = std::make_unique<FetchWaker>(client_->get());
  // A queue that was full has more than half left then.
  bytes_to_wake_ = options.prefetch_bytes_per_partition / 4;
  return {};
}

Result<rd_kafka_topic_t*> RecordReader::Impl::find_topic(Topic topic) {
  auto& slot = topics_[static_cast<size_t>(topic)];
  if (!slot) {
    auto made = client_->topic(names_.name(topic));
    if (!made) return tl::unexpected(std::move(made).error());
    slot = std::move(*made);
  }
  return slot.get();
}

Result<> RecordReader::Impl::start(TopicPartition source, uint64_t offset) {
  stop(source);
  const auto topic = find_topic(source.topic);
  if (!topic) return tl::unexpected(topic.error());
  Reading reading;
  reading.source = source;
  reading.topic = *topic;
  reading.next = {offset, defences_.check_record_offsets};
  // A queue of its own for each partition: one that is paused is not read, and keeps what was fetched.
  reading.queue.reset(rd_kafka_queue_new(client_->get()));
  rd_kafka_queue_cb_event_enable(
      reading.queue.get(), [](rd_kafka_t*, void* doorbell) { static_cast<Doorbell*>(doorbell)->ring(); }, &doorbell_);
  if (rd_kafka_consume_start_queue(*topic, source.partition, static_cast<int64_t>(offset), reading.queue.get()) != 0)
    return tl::unexpected(error_from(rd_kafka_last_error(), "reading " + names_.name(source.topic)));
  readings_.insert_or_assign(source, std::move(reading));
  return {};
}

void RecordReader::Impl::close(Reading& reading) {
  if (!reading.queue) return;
  rd_kafka_queue_cb_event_enable(reading.queue.get(), nullptr, nullptr);
  rd_kafka_consume_stop(reading.topic, reading.source.partition);
  reading.queue.reset();
}

void RecordReader::Impl::stop(TopicPartition source) {
  const auto found = readings_.find(source);
  if (found == readings_.end()) return;
  close(found->second);
  retired_.push_back(std::move(found->second));
  readings_.erase(found);
}

void RecordReader::Impl::set_paused(TopicPartition source, bool paused) {
  const auto found = readings_.find(source);
  if (found != readings_.end()) found->second.paused = paused;
}

bool RecordReader::Impl::started(TopicPartition source) const {
  const auto found = readings_.find(source);
  return found != readings_.end() && !found->second.broken;
}

uint64_t RecordReader::Impl::position(TopicPartition source) const {
  const auto found = readings_.find(source);
  return found == readings_.end() ? 0 : found->second.next.value;
}

void RecordReader::Impl::release() {
  batch_.records.clear();
  batch_.ends.clear();
  batch_.troubles.clear();
  const auto forget = [](Reading& reading) {
    for (rd_kafka_message_t* message : reading.messages) rd_kafka_message_destroy(message);
    reading.messages.clear();
    reading.records.clear();
  };
  for (auto& [source, reading] : readings_) forget(reading);
  for (Reading& reading : retired_) forget(reading);
  retired_.clear();
}

const ReadBatch& RecordReader::Impl::poll(std::chrono::milliseconds timeout) {
  release();
  for (auto at = readings_.begin(); at != readings_.end();) {
    if (at->second.broken) {
      close(at->second);
      at = readings_.erase(at);
    } else {
      ++at;
    }
  }
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    doorbell_.silence();
    client_->poll(0);
    take();
    if (!batch_.empty()) return batch_;
    const auto now = std::chrono::steady_clock::now();
    if (doorbell_.wait_until(std::min(deadline, now + kErrorsServed)) || now >= deadline) return batch_;
  }
}

void RecordReader::Impl::take() {
  if (readings_.empty()) return;
  size_t room = limits_.records;
  // In turn: a busy partition does not starve the others when the room is used up.
  auto at = readings_.upper_bound(last_served_);
  for (size_t i = 0; i < readings_.size() && room > 0; ++i) {
    if (at == readings_.end()) at = readings_.begin();
    Reading& reading = at->second;
    if (!reading.paused && !reading.broken) room -= take_from(reading, std::min(room, limits_.records_per_partition));
    last_served_ = at->first;
    ++at;
  }
}

size_t RecordReader::Impl::take_from(Reading& reading, size_t limit) {
  reading.messages.resize(limit);
  const ssize_t count = rd_kafka_consume_batch_queue(reading.queue.get(), 0, reading.messages.data(), limit);
  reading.messages.resize(count > 0 ? static_cast<size_t>(count) : 0);
  if (count <= 0) return 0;
  bool at_end = false;
  for (rd_kafka_message_t* message : reading.messages) take_message(reading, *message, at_end);
  if (!reading.records.empty()) batch_.records.push_back({reading.source, reading.records});
  if (at_end) {
    batch_.ends.push_back({reading.source, reading.next.value});
    reading.bytes_taken = 0;
  } else if (reading.bytes_taken >= bytes_to_wake_) {
    waker_->wake(names_.name(reading.source.topic), reading.source.partition);
    reading.bytes_taken = 0;
  }
  return static_cast<size_t>(count);
}

void RecordReader::Impl::take_message(Reading& reading, rd_kafka_message_t& message, bool& at_end) {
  if (reading.broken) return;
  const auto offset = static_cast<uint64_t>(message.offset);
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    at_end = offset >= reading.next.value;
    if (at_end) reading.next.value = offset;
    return;
  }
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return note_trouble(reading, message);
  if (!reading.next.admit(offset)) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  reading.records.push_back(record_of(message));
  reading.bytes_taken += message.len;
  at_end = false;
}

void RecordReader::Impl::note_trouble(Reading& reading, const rd_kafka_message_t& message) {
  const std::string place = names_.name(reading.source.topic) + "/" + std::to_string(reading.source.partition);
  const char* text = rd_kafka_message_errstr(&message);
  Error error = error_from(message.err, "reading " + place, text == nullptr ? "" : text);
  const bool out_of_range = message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
  if (out_of_range) {
    reading.broken = true;
    error = {ErrorClass::kStop, place + " does not hold offset " + std::to_string(reading.next.value) + ": " + error.message};
  }
  batch_.troubles.push_back({reading.source, out_of_range ? ReadTrouble::kOutOfRange : ReadTrouble::kRefused, std::move(error)});
}

RecordReader::RecordReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordReader::~RecordReader() = default;

Result<std::unique_ptr<RecordReader>> RecordReader::open(const ClientOptions& options, Limits limits, Defences defences) {
  auto impl = std::make_unique<Impl>(options, limits, defences);
  SEGUE_TRY(impl->open(options));
  return std::unique_ptr<RecordReader>(new RecordReader(std::move(impl)));
}

Result<> RecordReader::start(TopicPartition source, uint64_t offset) { return impl_->start(source, offset); }
void RecordReader::stop(TopicPartition source) { impl_->stop(source); }
void RecordReader::pause(TopicPartition source) { impl_->set_paused(source, true); }
void RecordReader::resume(TopicPartition source) { impl_->set_paused(source, false); }
bool RecordReader::started(TopicPartition source) const { return impl_->started(source); }
uint64_t RecordReader::position(TopicPartition source) const { return impl_->position(source); }
const ReadBatch& RecordReader::poll(std::chrono::milliseconds timeout) { return impl_->poll(timeout); }
void RecordReader::wake() { impl_->doorbell().wake(); }
bool RecordReader::connected() const { return impl_->client().connected(); }
uint64_t RecordReader::records_dropped() const { return impl_->dropped(); }
std::string RecordReader::last_error() const { return impl_->client().last_error(); }

}  // namespace segue::kafka
