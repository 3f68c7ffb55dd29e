// SPDX-License-Identifier: Apache-2.0
#include "tests/kafka_lib/broker_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "lib/base/hash.h"

namespace segue::kafka {
namespace {

using Settings = std::map<std::string, std::string>;

Owned<rd_kafka_t> make_handle(rd_kafka_type_t type, const Settings& settings) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char text[512] = "";
  for (const auto& [name, value] : settings)
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK) throw std::runtime_error(text);
  rd_kafka_t* handle = rd_kafka_new(type, conf, text, sizeof text);
  if (handle == nullptr) throw std::runtime_error(text);
  return Owned<rd_kafka_t>(handle);
}

void check(rd_kafka_error_t* error) {
  const Owned<rd_kafka_error_t> owned(error);
  if (owned) throw std::runtime_error(rd_kafka_error_string(owned.get()));
}

// Waits for an answer to an admin request on the queue.
void expect_done(rd_kafka_queue_t* queue) {
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30'000);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR) << rd_kafka_event_error_string(event);
  rd_kafka_event_destroy(event);
}

std::map<std::string, std::string> headers_of(const rd_kafka_message_t& message) {
  std::map<std::string, std::string> all;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return all;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    all[name] = std::string(static_cast<const char*>(value), size);
  return all;
}

// From what tests/kafka/broker.py keeps of the cluster.
int number_in_cluster(const std::string& key, const std::string& after = {}) {
  const char* folder = std::getenv("SEGUE_TEST_BROKER_DIR");
  std::ifstream file(std::string(folder == nullptr ? "" : folder) + "/cluster.json");
  std::stringstream text;
  text << file.rdbuf();
  const std::string json = text.str();
  const size_t at = json.find(key, json.find(after));
  if (at == std::string::npos) throw std::runtime_error("no " + key + " in cluster.json");
  return std::stoi(json.substr(at + key.size()));
}

// As broker.py numbers the ports of its first node.
constexpr int kUpstream = 1;
constexpr int kFront = 3;
constexpr int kCommands = 4;

int connect_to(int port) {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return connection;
  close(connection);
  return -1;
}

std::string unique_name() {
  static int count = 0;
  return "t" + std::to_string(std::random_device{}() % 1'000'000) + "-" + std::to_string(++count);
}

}  // namespace

int broker_pid() { return number_in_cluster("\"1\": ", "\"pids\""); }

BrokerPause::BrokerPause() { kill(broker_pid(), SIGSTOP); }
BrokerPause::~BrokerPause() { end(); }
void BrokerPause::end() {
  if (!over_) kill(broker_pid(), SIGCONT);
  over_ = true;
}

ProxyProcess::ProxyProcess() : first_port_(number_in_cluster("\"first\": ")) {
  const std::string script = std::string(SEGUE_SOURCE_DIR) + "/tests/kafka/proxy.py";
  const std::string listen = std::to_string(first_port_ + kFront);
  const std::string upstream = std::to_string(first_port_ + kUpstream);
  const std::string commands = std::to_string(first_port_ + kCommands);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("python3", "python3", "-B", script.c_str(), listen.c_str(), upstream.c_str(), commands.c_str(), nullptr);
    _exit(127);
  }
  for (int i = 0; i < 200; ++i) {
    if (const int connection = connect_to(first_port_ + kCommands); connection >= 0) {
      close(connection);
      return;
    }
    usleep(50'000);
  }
  throw std::runtime_error("the proxy does not listen");
}

ProxyProcess::~ProxyProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string ProxyProcess::brokers() const { return "127.0.0.1:" + std::to_string(first_port_ + kFront); }

std::string ProxyProcess::command(const std::string& line) {
  const int connection = connect_to(first_port_ + kCommands);
  const std::string text = line + "\n";
  if (connection < 0 || write(connection, text.data(), text.size()) < 0) throw std::runtime_error("the proxy takes no command");
  std::string answer;
  char byte = 0;
  while (::read(connection, &byte, 1) == 1 && byte != '\n') answer += byte;
  close(connection);
  if (answer.starts_with("error")) throw std::runtime_error("the proxy says " + answer);
  return answer;
}

int ProxyProcess::count(const std::string& what) {
  const std::string counts = " " + command("counts");
  const size_t at = counts.find(" " + what + "=");
  return at == std::string::npos ? 0 : std::stoi(counts.substr(at + what.size() + 2));
}

void BrokerTest::SetUp() {
  const char* brokers = std::getenv("SEGUE_TEST_BROKERS");
  if (brokers == nullptr) FAIL() << "needs a broker: tests/kafka/broker.py run 1 PROGRAM";
  brokers_ = brokers;
}

ClientOptions BrokerTest::make_topics(int partitions, const Settings& settings) {
  const std::string name = unique_name();
  ClientOptions options;
  options.brokers = brokers_;
  options.application = name;
  options.instance = name + "-1";
  options.topics = {name + ".events", name + ".transitions", name + ".dlq", name + ".journal"};
  options.consumer["session.timeout.ms"] = "6000";
  options.consumer["heartbeat.interval.ms"] = "500";
  for (const Topic topic : kAllTopics) make_topic(options.topics.name(topic), partitions, settings);
  return options;
}

void BrokerTest::make_topic(const std::string& name, int partitions, const Settings& settings) {
  const auto handle = make_handle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers_}});
  char text[512] = "";
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, text, sizeof text);
  for (const auto& [key, value] : settings) rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle.get()));
  rd_kafka_CreateTopics(handle.get(), &topic, 1, nullptr, queue.get());
  expect_done(queue.get());
  rd_kafka_NewTopic_destroy(topic);
}

void BrokerTest::delete_before(const std::string& topic, int32_t partition, int64_t offset) {
  const auto handle = make_handle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers_}});
  const Owned<rd_kafka_topic_partition_list_t> offsets(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(offsets.get(), topic.c_str(), partition)->offset = offset;
  rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(offsets.get());
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle.get()));
  rd_kafka_DeleteRecords(handle.get(), &request, 1, nullptr, queue.get());
  expect_done(queue.get());
  rd_kafka_DeleteRecords_destroy(request);
}

void BrokerTest::produce(const std::string& topic, int32_t partition, const std::vector<std::string>& values, const std::string& key) {
  const auto handle = make_handle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers_}, {"enable.idempotence", "true"}});
  for (const std::string& value : values)
    rd_kafka_producev(handle.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                      RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_KEY(key.data(), key.size()), RD_KAFKA_V_END);
  ASSERT_EQ(rd_kafka_flush(handle.get(), 30'000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

std::vector<ReadRecord> BrokerTest::read(const std::string& topic, int32_t partition, bool committed) {
  const auto handle = make_handle(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers_},
                                                      {"enable.partition.eof", "true"},
                                                      {"fetch.wait.max.ms", "10"},
                                                      {"enable.auto.commit", "false"},
                                                      {"isolation.level", committed ? "read_committed" : "read_uncommitted"}});
  const Owned<rd_kafka_topic_t> from(rd_kafka_topic_new(handle.get(), topic.c_str(), nullptr));
  rd_kafka_consume_start(from.get(), partition, RD_KAFKA_OFFSET_BEGINNING);
  std::vector<ReadRecord> records;
  for (;;) {
    const Owned<rd_kafka_message_t> message(rd_kafka_consume(from.get(), partition, 20'000));
    if (!message) throw std::runtime_error("no end of " + topic + " in 20 s");
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) break;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    records.push_back({std::string(static_cast<const char*>(message->key), message->key_len),
                       std::string(static_cast<const char*>(message->payload), message->len), message->offset, headers_of(*message)});
  }
  rd_kafka_consume_stop(from.get(), partition);
  return records;
}

int64_t BrokerTest::group_offset(const ClientOptions& options, int32_t partition) {
  const auto handle = make_handle(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers_}, {"group.id", options.group_id()}});
  const Owned<rd_kafka_topic_partition_list_t> wanted(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(wanted.get(), options.topics.input.c_str(), partition);
  EXPECT_EQ(rd_kafka_committed(handle.get(), wanted.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  return wanted->elems[0].offset < 0 ? -1 : wanted->elems[0].offset;
}

void BrokerTest::signal_broker(int number) { kill(broker_pid(), number); }

pipeline::Commit CommitSource::next(size_t transitions) {
  pipeline::Commit commit;
  codec::JournalRecord& record = commit.record;
  record.sequence = last_.sequence + 1;
  record.previous = last_.next;
  record.next = {last_.next.offset + 10, last_.next.offset + 10};
  record.high = time_from_ms(static_cast<int64_t>(record.sequence));
  record.definitions = "definitions";
  record.program = "test";
  pipeline::Outputs& outputs = commit.outputs;
  for (size_t i = 0; i < transitions; ++i) {
    outputs.transition_lines += "{\"" + text_ + "\":" + std::to_string(record.sequence) + "." + std::to_string(i) + "}\n";
    outputs.user_ids += "u";
    outputs.transitions.push_back({outputs.transition_lines.size(), outputs.user_ids.size(), ++n_, time_from_ms(1'700'000'000'123), "move"});
  }
  record.transitions = {transitions, transitions == 0 ? 0 : hash64(outputs.transition_lines), 0};
  last_ = record;
  return commit;
}

void add_dead_letter(pipeline::Commit& commit, std::string_view raw, std::string_view key, uint64_t offset) {
  pipeline::Outputs& outputs = commit.outputs;
  outputs.dead_letter_lines += "{}\n";
  outputs.raw_records += raw;
  outputs.raw_keys += key;
  outputs.dead_letters.push_back(
      {outputs.dead_letter_lines.size(), outputs.raw_records.size(), outputs.raw_keys.size(), offset, event::RejectReason::kInvalidJson});
}

std::unique_ptr<PartitionCommits> open_commits(const ClientOptions& client, PartitionCommitsOptions options, CommitSource* source) {
  auto opened = PartitionCommits::open(client, std::move(options));
  if (!opened) throw std::runtime_error(opened.error().message);
  const auto read = (*opened)->for_each_since(0, 0, [&](const codec::JournalRecord& record, uint64_t) -> Result<> {
    if (source != nullptr) source->go_on_after(record);
    return {};
  });
  if (!read) throw std::runtime_error(read.error().message);
  return std::move(*opened);
}

std::vector<uint64_t> sequences(const std::vector<ReadRecord>& journal, std::string_view key) {
  std::vector<uint64_t> all;
  for (const ReadRecord& record : journal)
    if (record.key == key) all.push_back(codec::decode_journal_record(record.value)->sequence);
  return all;
}

OpenTransaction::OpenTransaction(const ClientOptions& options, const std::string& id, const std::string& topic, int32_t partition,
                                 const std::string& key, const std::string& value)
    : handle_(
          make_handle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", options.brokers}, {"transactional.id", id}, {"transaction.timeout.ms", "60000"}})) {
  check(rd_kafka_init_transactions(handle_.get(), 30'000));
  check(rd_kafka_begin_transaction(handle_.get()));
  rd_kafka_producev(handle_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                    RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_KEY(key.data(), key.size()), RD_KAFKA_V_END);
  rd_kafka_flush(handle_.get(), 30'000);
}
void OpenTransaction::abort() { check(rd_kafka_abort_transaction(handle_.get(), 30'000)); }
void OpenTransaction::commit() { check(rd_kafka_commit_transaction(handle_.get(), 30'000)); }

}  // namespace segue::kafka
