// SPDX-License-Identifier: Apache-2.0
#include "bench/pipeline/kafka_client.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace segue::bench {
namespace {
constexpr int kQuestionMs = 10'000;
constexpr int kFlushMs = 120'000;
}  // namespace

void die(const std::string& reason) {
  std::fprintf(stderr, "kafka_tool: %s\n", reason.c_str());
  std::_Exit(1);
}

void check(rd_kafka_error_t* error, const char* what) {
  if (error != nullptr) die(std::string(what) + ": " + rd_kafka_error_string(error));
}

double now_seconds() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Client make_client(rd_kafka_type_t type, const Properties& properties, rd_kafka_conf_t* conf, void* opaque) {
  char reason[512];
  if (conf == nullptr) conf = rd_kafka_conf_new();
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof reason) != RD_KAFKA_CONF_OK) die(reason);
  }
  rd_kafka_conf_set_opaque(conf, opaque);
  rd_kafka_t* client = rd_kafka_new(type, conf, reason, sizeof reason);
  if (client == nullptr) die(reason);
  return Client(client);
}

std::vector<Ends> query_ends(rd_kafka_t* client, const std::string& topic) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  if (const auto error = rd_kafka_metadata(client, 0, handle, &metadata, kQuestionMs); error != RD_KAFKA_RESP_ERR_NO_ERROR)
    die(rd_kafka_err2str(error));
  if (metadata->topic_cnt != 1 || metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) die("no topic " + topic);
  std::vector<Ends> ends(static_cast<size_t>(metadata->topics[0].partition_cnt));
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(handle);
  for (size_t i = 0; i < ends.size(); ++i) {
    rd_kafka_resp_err_t error;
    // A new partition's leader takes a moment to know of its office.
    for (const double deadline = now_seconds() + kQuestionMs / 1e3;;) {
      error = rd_kafka_query_watermark_offsets(client, topic.c_str(), static_cast<int32_t>(i), &ends[i].low, &ends[i].high, kQuestionMs);
      if (error != RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || now_seconds() > deadline) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) die(topic + ": " + rd_kafka_err2str(error));
  }
  return ends;
}

Client make_reader(const std::string& brokers, const std::string& topic, const Properties& properties, bool at_end, std::vector<Ends>& ends) {
  Properties all = {{"bootstrap.servers", brokers}, {"group.id", "bench-reader"}, {"enable.auto.commit", "false"}, {"auto.offset.reset", "error"}};
  all.insert(all.end(), properties.begin(), properties.end());
  Client client = make_client(RD_KAFKA_CONSUMER, all);
  rd_kafka_poll_set_consumer(client.get());
  ends = query_ends(client.get(), topic);
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(ends.size())));
  for (size_t i = 0; i < ends.size(); ++i) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), static_cast<int32_t>(i))->offset = at_end ? ends[i].high : ends[i].low;
  }
  if (const auto error = rd_kafka_assign(client.get(), list.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) die(rd_kafka_err2str(error));
  return client;
}

std::string_view text_field(std::string_view json, std::string_view key) {
  const std::string name = "\"" + std::string(key) + "\":\"";
  const size_t begin = json.find(name);
  if (begin == std::string_view::npos) return {};
  const size_t end = json.find('"', begin + name.size());
  if (end == std::string_view::npos) return {};
  return json.substr(begin + name.size(), end - begin - name.size());
}

Producer::Producer(const std::string& brokers, const std::string& topic, const Properties& properties) {
  Properties all = {
      {"bootstrap.servers", brokers}, {"enable.idempotence", "true"}, {"partitioner", "murmur2_random"}, {"message.timeout.ms", "120000"}};
  all.insert(all.end(), properties.begin(), properties.end());
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  client_ = make_client(RD_KAFKA_PRODUCER, all, conf, this);
  topic_ = rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr);
  if (topic_ == nullptr) die("no handle of topic " + topic);
}

Producer::~Producer() { rd_kafka_topic_destroy(topic_); }

void Producer::delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) static_cast<Producer*>(self)->failed_.fetch_add(1);
}

void Producer::send(std::string_view key, std::string_view value) {
  // librdkafka copies the value, and does not write to it.
  void* bytes = const_cast<char*>(value.data());
  const void* key_bytes = key.empty() ? nullptr : key.data();
  while (rd_kafka_produce(topic_, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, bytes, value.size(), key_bytes, key.size(), nullptr) != 0) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) die(rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_poll(client_.get(), 10);
  }
}

void Producer::flush() {
  rd_kafka_flush(client_.get(), kFlushMs);
  const int left = rd_kafka_outq_len(client_.get());
  if (left != 0 || failed_ != 0) die(std::to_string(left) + " records not stored, " + std::to_string(failed_) + " refused");
}

}  // namespace segue::bench
