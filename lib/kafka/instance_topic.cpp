// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/instance_topic.h"

#include <algorithm>
#include <utility>

#include "lib/kafka/client.h"
#include "lib/kafka/errors.h"
#include "lib/kafka/record_reader.h"
#include "lib/kafka/topic_inspector.h"

namespace segue::kafka {
namespace {

// Whoever lives has written within seconds: a thousand instances have in this many records.
constexpr uint64_t kBack = 5000;
// A word that comes late tells of a partition that has moved on.
constexpr const char* kWordTimeout = "4000";

// A reader and an inspector know an application's four topics by name: here this one stands in the input's place.
ClientOptions options_for(ClientOptions options, const std::string& name) {
  options.topics = {name, name, name, name};
  options.prefetch_bytes_per_partition = 1 << 20;
  return options;
}

}  // namespace

class InstanceTopic::Impl {
 public:
  Result<> open(const ClientOptions& options, const std::string& name, std::chrono::milliseconds timeout);
  News poll(std::chrono::milliseconds timeout);
  void put(const Word& word);
  void flush(std::chrono::milliseconds limit) { rd_kafka_flush(writer_->get(), static_cast<int>(limit.count())); }
  bool connected() const { return reader_->connected(); }
  std::string trouble() const {
    if (!connected()) return "no broker is in reach";
    return read_trouble_.empty() ? write_trouble_ : read_trouble_;
  }

 private:
  static constexpr TopicPartition kSource{Topic::kInput, 0};

  std::unique_ptr<RecordReader> reader_;
  std::string read_trouble_;
  std::string write_trouble_;  // set by callbacks, which poll() and flush() call
  std::unique_ptr<Client> writer_;
  Owned<rd_kafka_topic_t> topic_;
};

Result<> InstanceTopic::Impl::open(const ClientOptions& given, const std::string& name, std::chrono::milliseconds timeout) {
  const ClientOptions options = options_for(given, name);
  auto inspector = TopicInspector::open(options);
  if (!inspector) return tl::unexpected(std::move(inspector).error());
  const auto counts = (*inspector)->partitions(timeout);
  if (!counts) return tl::unexpected(counts.error());
  const int32_t partitions = (*counts)[Topic::kInput];
  if (partitions == 0) return fail(ErrorClass::kUsage, "topic " + name + " is missing");
  if (partitions != 1) return fail(ErrorClass::kUsage, "topic " + name + " has " + std::to_string(partitions) + " partitions instead of one");
  const auto marks = (*inspector)->watermarks(kSource.topic, {&kSource.partition, 1}, timeout).front().watermarks;
  if (!marks) return tl::unexpected(marks.error());
  auto reader = RecordReader::open(options);
  if (!reader) return tl::unexpected(std::move(reader).error());
  reader_ = std::move(*reader);
  SEGUE_TRY(reader_->start(kSource, std::max(marks->low, marks->high - std::min(marks->high, kBack))));
  Client::Callbacks callbacks;
  callbacks.delivered = [this](const rd_kafka_message_t& message) {
    const bool failed = message.err != RD_KAFKA_RESP_ERR_NO_ERROR;
    write_trouble_ = failed ? error_from(message.err, "telling other instances").message : std::string();
  };
  const Properties forced = {{"acks", "all"},
                             {"enable.idempotence", "false"},  // a word twice is no harm, and it has no error that is for ever
                             {"max.in.flight.requests.per.connection", "1"},
                             {"message.timeout.ms", kWordTimeout},
                             {"linger.ms", "0"}};
  auto writer = Client::open(options, ClientKind::kEvents, forced, std::move(callbacks));
  if (!writer) return tl::unexpected(std::move(writer).error());
  writer_ = std::move(*writer);
  auto topic = writer_->topic(name);
  if (!topic) return tl::unexpected(std::move(topic).error());
  topic_ = std::move(*topic);
  return {};
}

InstanceTopic::News InstanceTopic::Impl::poll(std::chrono::milliseconds timeout) {
  News news;
  const ReadBatch& batch = reader_->poll(timeout);
  writer_->poll(0);
  for (const auto& part : batch.records)
    for (const Record& record : part.records) {
      Word word{std::string(record.key), {}};
      if (!record.value.empty()) word.record = std::string(record.value);
      news.words.push_back(std::move(word));
    }
  news.at_end = !batch.ends.empty();
  if (!batch.records.empty() || news.at_end) read_trouble_.clear();
  for (const auto& trouble : batch.troubles) read_trouble_ = trouble.error.message;
  return news;
}

void InstanceTopic::Impl::put(const Word& word) {
  const std::string text = word.record.value_or("");
  // Without a payload it is a tombstone.
  char* const payload = word.record ? const_cast<char*>(text.data()) : nullptr;
  const int failed =
      rd_kafka_produce(topic_.get(), 0, RD_KAFKA_MSG_F_COPY, payload, text.size(), word.instance.data(), word.instance.size(), nullptr);
  if (failed != 0) write_trouble_ = error_from(rd_kafka_last_error(), "telling other instances").message;
}

InstanceTopic::InstanceTopic(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
InstanceTopic::~InstanceTopic() = default;

Result<std::unique_ptr<InstanceTopic>> InstanceTopic::open(const ClientOptions& options, const std::string& name, std::chrono::milliseconds timeout) {
  auto impl = std::make_unique<Impl>();
  SEGUE_TRY(impl->open(options, name, timeout));
  return std::unique_ptr<InstanceTopic>(new InstanceTopic(std::move(impl)));
}

InstanceTopic::News InstanceTopic::poll(std::chrono::milliseconds timeout) { return impl_->poll(timeout); }
void InstanceTopic::put(const Word& word) { impl_->put(word); }
void InstanceTopic::flush(std::chrono::milliseconds limit) { impl_->flush(limit); }
bool InstanceTopic::works() const { return impl_->trouble().empty(); }
std::string InstanceTopic::trouble() const { return impl_->trouble(); }

}  // namespace segue::kafka
