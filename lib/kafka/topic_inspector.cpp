// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/topic_inspector.h"

#include <charconv>
#include <utility>

#include "lib/kafka/client.h"
#include "lib/kafka/errors.h"

namespace segue::kafka {
namespace {

using Milliseconds = std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

int left_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<Milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::max<int64_t>(left, 1));
}

std::optional<int64_t> number(const char* text) {
  int64_t value = 0;
  const std::string_view whole = text == nullptr ? "" : text;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (error != std::errc{} || end != whole.data() + whole.size()) return std::nullopt;
  return value;
}

void take_setting(TopicSettings& settings, std::string_view name, const char* value) {
  if (value == nullptr) return;
  if (name == "cleanup.policy") settings.cleanup_policy = value;
  if (name == "message.timestamp.type") settings.timestamp_type = value;
  if (name == "retention.bytes") settings.retention_bytes = number(value);
  if (name == "max.message.bytes") settings.max_message_bytes = number(value);
  if (name == "retention.ms")
    if (const auto ms = number(value)) settings.retention = Milliseconds(*ms);
}

struct FreeEvent {
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
struct FreeConfig {
  void operator()(rd_kafka_ConfigResource_t* config) const { rd_kafka_ConfigResource_destroy(config); }
};
struct FreeAdminOptions {
  void operator()(rd_kafka_AdminOptions_t* options) const { rd_kafka_AdminOptions_destroy(options); }
};

}  // namespace

class TopicInspector::Impl {
 public:
  explicit Impl(const ClientOptions& options) : names_(options.topics) {}
  Result<> open(const ClientOptions& options, Isolation isolation);
  Result<int32_t> partitions(Topic topic, Clock::time_point deadline);
  Result<Watermarks> watermarks(Topic topic, int32_t partition, Clock::time_point deadline);
  Result<TopicSettings> settings(Topic topic, Clock::time_point deadline);
  const Topics& names() const { return names_; }

 private:
  const Topics names_;
  std::unique_ptr<Client> client_;
};

Result<> TopicInspector::Impl::open(const ClientOptions& options, Isolation isolation) {
  const std::string level = isolation == Isolation::kCommitted ? "read_committed" : "read_uncommitted";
  auto client = Client::open(options, ClientKind::kInspector, {{"isolation.level", level}, {"enable.auto.commit", "false"}}, {});
  if (!client) return tl::unexpected(std::move(client).error());
  client_ = std::move(*client);
  return {};
}

Result<int32_t> TopicInspector::Impl::partitions(Topic topic, Clock::time_point deadline) {
  const std::string& name = names_.name(topic);
  client_->poll(0);
  auto handle = client_->topic(name);
  if (!handle) return tl::unexpected(std::move(handle).error());
  const struct rd_kafka_metadata* metadata = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(client_->get(), 0, handle->get(), &metadata, left_until(deadline));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Error told = error_from(error, "looking for topic " + name);
    if (const std::string why = client_->last_error(); !why.empty()) told.message += "; " + why;
    return tl::unexpected(std::move(told));
  }
  int32_t count = 0;
  rd_kafka_resp_err_t refused = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    if (name != metadata->topics[i].topic) continue;
    count = metadata->topics[i].partition_cnt;
    refused = metadata->topics[i].err;
  }
  rd_kafka_metadata_destroy(metadata);
  if (refused == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return 0;
  if (refused != RD_KAFKA_RESP_ERR_NO_ERROR && refused != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
    return tl::unexpected(error_from(refused, "looking for topic " + name));
  return count;
}

Result<Watermarks> TopicInspector::Impl::watermarks(Topic topic, int32_t partition, Clock::time_point deadline) {
  int64_t low = 0;
  int64_t high = 0;
  client_->poll(0);
  const std::string& name = names_.name(topic);
  const auto ask = [&] { return rd_kafka_query_watermark_offsets(client_->get(), name.c_str(), partition, &low, &high, left_until(deadline)); };
  rd_kafka_resp_err_t error = ask();
  // The client goes on asking the leader that it knows; only asking for metadata tells it of a new one (seen with 2.0.2).
  if (error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION && partitions(topic, deadline)) error = ask();
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return tl::unexpected(error_from(error, "asking for the ends of " + name + "/" + std::to_string(partition)));
  return Watermarks{static_cast<uint64_t>(std::max<int64_t>(low, 0)), static_cast<uint64_t>(std::max<int64_t>(high, 0))};
}

Result<TopicSettings> TopicInspector::Impl::settings(Topic topic, Clock::time_point deadline) {
  const std::string& name = names_.name(topic);
  const std::string doing = "asking for the settings of topic " + name;
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_->get()));
  const std::unique_ptr<rd_kafka_ConfigResource_t, FreeConfig> wanted(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
  const std::unique_ptr<rd_kafka_AdminOptions_t, FreeAdminOptions> options(
      rd_kafka_AdminOptions_new(client_->get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  char text[512] = "";
  rd_kafka_AdminOptions_set_request_timeout(options.get(), left_until(deadline), text, sizeof text);
  rd_kafka_ConfigResource_t* list[] = {wanted.get()};
  rd_kafka_DescribeConfigs(client_->get(), list, 1, options.get(), queue.get());
  const std::unique_ptr<rd_kafka_event_t, FreeEvent> event(rd_kafka_queue_poll(queue.get(), left_until(deadline) + 1000));
  if (!event) return tl::unexpected(error_from(RD_KAFKA_RESP_ERR__TIMED_OUT, doing));
  if (const rd_kafka_resp_err_t error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return tl::unexpected(error_from(error, doing, rd_kafka_event_error_string(event.get())));
  TopicSettings settings;
  size_t count = 0;
  const rd_kafka_DescribeConfigs_result_t* result = rd_kafka_event_DescribeConfigs_result(event.get());
  const rd_kafka_ConfigResource_t** found = rd_kafka_DescribeConfigs_result_resources(result, &count);
  for (size_t i = 0; i < count; ++i) {
    if (const rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(found[i]); error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return tl::unexpected(error_from(error, doing));
    size_t entries = 0;
    const rd_kafka_ConfigEntry_t** entry = rd_kafka_ConfigResource_configs(found[i], &entries);
    for (size_t j = 0; j < entries; ++j) take_setting(settings, rd_kafka_ConfigEntry_name(entry[j]), rd_kafka_ConfigEntry_value(entry[j]));
  }
  return settings;
}

TopicInspector::TopicInspector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TopicInspector::~TopicInspector() = default;

Result<std::unique_ptr<TopicInspector>> TopicInspector::open(const ClientOptions& options, Isolation isolation) {
  auto impl = std::make_unique<Impl>(options);
  SEGUE_TRY(impl->open(options, isolation));
  return std::unique_ptr<TopicInspector>(new TopicInspector(std::move(impl)));
}

Result<TopicPartitions> TopicInspector::partitions(Milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  TopicPartitions partitions;
  for (const Topic topic : kAllTopics) {
    auto count = impl_->partitions(topic, deadline);
    if (!count) return tl::unexpected(std::move(count).error());
    partitions.count[static_cast<size_t>(topic)] = *count;
  }
  return partitions;
}

Result<int32_t> TopicInspector::partitions(Topic topic, Milliseconds timeout) { return impl_->partitions(topic, Clock::now() + timeout); }

std::vector<PartitionWatermarks> TopicInspector::watermarks(Topic topic, std::span<const int32_t> partitions, Milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  std::vector<PartitionWatermarks> all;
  for (const int32_t partition : partitions) all.push_back({partition, impl_->watermarks(topic, partition, deadline)});
  return all;
}

Result<TopicSettings> TopicInspector::settings(Topic topic, Milliseconds timeout) { return impl_->settings(topic, Clock::now() + timeout); }

Result<std::vector<std::string>> TopicInspector::concerns(Milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  std::array<TopicSettings, kTopics> all;
  for (const Topic topic : kAllTopics) {
    auto settings = impl_->settings(topic, deadline);
    if (!settings) return tl::unexpected(std::move(settings).error());
    all[static_cast<size_t>(topic)] = *settings;
  }
  return concerns_about(all, impl_->names());
}

std::vector<std::string> concerns_about(const std::array<TopicSettings, kTopics>& settings, const Topics& names) {
  std::vector<std::string> concerns;
  for (const Topic topic : kAllTopics) {
    const auto& policy = settings[static_cast<size_t>(topic)].cleanup_policy;
    if (!policy || policy->find("compact") == std::string::npos) continue;
    const bool ours = topic != Topic::kInput;
    concerns.push_back(
        "topic " + names.name(topic) + " is compacted: " +
        (ours ? "records of Segue would disappear, set cleanup.policy=delete" : "a replay would miss events, set cleanup.policy=delete"));
  }
  const TopicSettings& input = settings[static_cast<size_t>(Topic::kInput)];
  const TopicSettings& journal = settings[static_cast<size_t>(Topic::kJournal)];
  const auto forever = [](const TopicSettings& one) { return one.retention && one.retention->count() < 0; };
  if (journal.retention && !forever(journal) && input.retention && (forever(input) || *journal.retention < *input.retention))
    concerns.push_back("topic " + names.journal + " is kept for a shorter time than " + names.input +
                       ": a replay of old events would lack their commits, raise its retention.ms");
  if (journal.retention_bytes && *journal.retention_bytes >= 0)
    concerns.push_back("topic " + names.journal + " has retention.bytes: its beginning may go before that of " + names.input + ", set it to -1");
  if (input.timestamp_type && *input.timestamp_type == "CreateTime")
    concerns.push_back("topic " + names.input + " has message.timestamp.type=CreateTime: events from the future are judged by the producers' clocks");
  return concerns;
}

}  // namespace segue::kafka
