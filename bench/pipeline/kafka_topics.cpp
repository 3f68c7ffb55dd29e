// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <thread>

#include "bench/pipeline/kafka_client.h"
#include "bench/pipeline/kafka_commands.h"
#include "lib/codec/journal_record.h"

namespace segue::bench {
namespace {

constexpr int kAdminMs = 30'000;

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

rd_kafka_NewTopic_t* new_topic(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() < 2) die("not TOPIC:PARTITIONS: " + text);
  char reason[512];
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(parts[0].c_str(), std::stoi(parts[1]), 1, reason, sizeof reason);
  if (topic == nullptr) die(reason);
  for (size_t i = 2; i < parts.size(); ++i) {
    const std::vector<std::string> property = split(parts[i], '=');
    if (property.size() != 2) die("not property=value: " + parts[i]);
    rd_kafka_NewTopic_set_config(topic, property[0].c_str(), property[1].c_str());
  }
  return topic;
}

// librdkafka knows a new topic a moment after the broker does.
void wait_for_leaders(rd_kafka_t* client, const std::string& topic) {
  const double deadline = now_seconds() + kAdminMs / 1e3;
  rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
  for (bool done = false; !done;) {
    const rd_kafka_metadata_t* metadata = nullptr;
    if (rd_kafka_metadata(client, 0, handle, &metadata, kAdminMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const rd_kafka_metadata_topic_t& found = metadata->topics[0];
      done = found.err == RD_KAFKA_RESP_ERR_NO_ERROR && found.partition_cnt > 0 &&
             std::all_of(found.partitions, found.partitions + found.partition_cnt, [](const auto& partition) { return partition.leader > 0; });
      rd_kafka_metadata_destroy(metadata);
    }
    if (!done && now_seconds() > deadline) die("topic " + topic + " has no leaders");
    if (!done) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  rd_kafka_topic_destroy(handle);
}

Properties settings_of(const ConsumeOptions& options) {
  Properties settings = {{"isolation.level", options.isolation}};
  if (options.settings == "default") return settings;
  settings.emplace_back("queued.min.messages", "1000000");
  if (options.settings == "wide") settings.emplace_back("queued.max.messages.kbytes", "65536");
  if (options.settings != "engine") return settings;
  for (const auto& [name, value] : {std::pair{"queued.max.messages.kbytes", "8192"}, {"check.crcs", "true"}, {"fetch.max.bytes", "16777216"}})
    settings.emplace_back(name, value);
  return settings;
}

}  // namespace

void create_topics(const std::string& brokers, const std::vector<std::string>& topics) {
  const Client client = make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers}});
  std::vector<rd_kafka_NewTopic_t*> wanted;
  for (const std::string& topic : topics) wanted.push_back(new_topic(topic));
  const Queue queue(rd_kafka_queue_new(client.get()));
  rd_kafka_CreateTopics(client.get(), wanted.data(), wanted.size(), nullptr, queue.get());
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue.get(), kAdminMs);
  if (event == nullptr) die("no answer to the creation of topics");
  if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) die(rd_kafka_event_error_string(event));
  size_t count = 0;
  const rd_kafka_topic_result_t** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) die(rd_kafka_err2str(error));
  }
  rd_kafka_event_destroy(event);
  rd_kafka_NewTopic_destroy_array(wanted.data(), wanted.size());
  for (const std::string& topic : topics) wait_for_leaders(client.get(), topic.substr(0, topic.find(':')));
  std::printf("{\"topics\":%zu}\n", topics.size());
}

void load(const LoadOptions& options) {
  std::ifstream file(options.file, std::ios::binary);
  if (!file) die("cannot read " + options.file);
  Producer producer(
      options.brokers, options.topic,
      {{"compression.codec", options.codec}, {"linger.ms", "50"}, {"batch.num.messages", "20000"}, {"queue.buffering.max.messages", "500000"}});
  const double begin = now_seconds();
  uint64_t records = 0, bytes = 0;
  for (std::string line; std::getline(file, line);) {
    producer.send(text_field(line, "user_id"), line);
    bytes += line.size();
    if (++records % 1000 == 0) producer.poll();
  }
  producer.flush();
  const double seconds = now_seconds() - begin;
  std::printf("{\"records\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"records_per_second\":%.0f}\n", static_cast<unsigned long long>(records),
              static_cast<unsigned long long>(bytes), seconds, static_cast<double>(records) / seconds);
}

void consume(const ConsumeOptions& options) {
  constexpr size_t kBatch = 10'000;
  std::vector<Ends> ends;
  const Client client = make_reader(options.brokers, options.topic, settings_of(options), false, ends);
  uint64_t wanted = 0, seen = 0, bytes = 0;
  for (const Ends& end : ends) wanted += static_cast<uint64_t>(end.high - end.low);
  const Queue queue(rd_kafka_queue_get_consumer(client.get()));
  std::vector<rd_kafka_message_t*> batch(kBatch);
  double first = 0, cpu = 0;
  while (seen < wanted) {
    // The clock begins with the first record, as that of a drain does, and not with the first whole batch. No more than there is: a batch that
    // cannot become full is waited for until the timeout.
    const size_t room = seen == 0 ? 1 : std::min<uint64_t>(batch.size(), wanted - seen);
    const ssize_t count = rd_kafka_consume_batch_queue(queue.get(), 1000, batch.data(), room);
    if (count < 0) die(rd_kafka_err2str(rd_kafka_last_error()));
    if (count > 0 && seen == 0) first = now_seconds(), cpu = cpu_seconds();
    for (ssize_t i = 0; i < count; ++i) {
      if (batch[static_cast<size_t>(i)]->err != RD_KAFKA_RESP_ERR_NO_ERROR) die(rd_kafka_message_errstr(batch[static_cast<size_t>(i)]));
      bytes += batch[static_cast<size_t>(i)]->len;
      rd_kafka_message_destroy(batch[static_cast<size_t>(i)]);
    }
    seen += static_cast<uint64_t>(count);
  }
  const double seconds = now_seconds() - first;
  std::printf("{\"records\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"records_per_second\":%.0f,\"cpu_seconds\":%.3f}\n",
              static_cast<unsigned long long>(seen), static_cast<unsigned long long>(bytes), seconds, static_cast<double>(seen) / seconds,
              cpu_seconds() - cpu);
}

void wait_drained(const DrainedOptions& options) {
  std::vector<Ends> journal_ends;
  // Whatever is committed is told at once.
  const Client client = make_reader(options.brokers, options.journal, {{"isolation.level", "read_committed"}}, false, journal_ends);
  const std::vector<Ends> input = query_ends(client.get(), options.input);
  std::vector<uint64_t> next(input.size(), 0);
  uint64_t commits = 0;
  double first = 0;
  const double deadline = now_seconds() + options.timeout;
  const auto drained = [&] {
    for (size_t i = 0; i < input.size(); ++i) {
      if (next[i] < static_cast<uint64_t>(input[i].high)) return false;
    }
    return true;
  };
  while (!drained()) {
    if (now_seconds() > deadline) die("the input was not worked off in time");
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client.get(), 100);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      auto record = codec::decode_journal_record({static_cast<const char*>(message->payload), message->len});
      if (!record) die(record.error().message);
      if (++commits == 1) first = now_seconds();
      next.at(static_cast<size_t>(message->partition)) = record->next.offset;
    }
    rd_kafka_message_destroy(message);
  }
  std::printf("{\"commits\":%llu,\"first_commit\":%.6f,\"last_commit\":%.6f}\n", static_cast<unsigned long long>(commits), first, now_seconds());
}

}  // namespace segue::bench
