// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/client.h"

#include <array>
#include <cstring>

#include "lib/kafka/errors.h"

namespace segue::kafka {
namespace {

// The first that does not send a SCRAM nonce twice, which Kafka has been refusing since CVE-2024-56128 (librdkafka#4895).
constexpr int kFirstVersionWithScram = 0x02060100;

void add(Properties& to, const Properties& from) {
  for (const auto& [name, value] : from) to[name] = value;
}

void add_given(Properties& to, const char* name, const std::string& value) {
  if (!value.empty()) to[name] = value;
}

void add_security(Properties& to, const Security& security) {
  add_given(to, "security.protocol", security.protocol);
  add_given(to, "sasl.mechanisms", security.mechanism);
  add_given(to, "sasl.username", security.username);
  add_given(to, "sasl.password", security.password);
  add_given(to, "ssl.ca.location", security.ca_file);
  add_given(to, "ssl.certificate.location", security.certificate_file);
  add_given(to, "ssl.key.location", security.key_file);
  add_given(to, "ssl.key.password", security.key_password);
}

const Properties kEveryDefault = {
    {"reconnect.backoff.max.ms", "1000"},  // 10 s by default: as long after a broker is back
    {"socket.keepalive.enable", "true"},
    {"enable.metrics.push", "false"},  // KIP-714; unknown to old versions
};
const Properties kReadDefaults = {
    {"check.crcs", "true"},          {"fetch.error.backoff.ms", "100"},
    {"fetch.queue.backoff.ms", "5"},  // 1 s in versions that know it: a reader that drains the queue would wait for that long
    {"fetch.max.bytes", "16777216"}, {"socket.nagle.disable", "true"},
};
// transaction.timeout.ms bounds how long a dead writer hides what others wrote; the others must not be above it.
const Properties kWriteDefaults = {
    {"transaction.timeout.ms", "20000"},
    {"message.timeout.ms", "10000"},
    {"socket.timeout.ms", "6000"},
    {"retry.backoff.ms", "1"},          // 100 ms by default, after every commit: the broker still finishes the one before
    {"retry.backoff.max.ms", "100"},    // from 2.4 on
    {"linger.ms", "0"},                 // the commit flushes at once
    {"message.max.bytes", "10485760"},  // the topic's limit decides
    {"queue.buffering.max.kbytes", "65536"},
    {"socket.nagle.disable", "true"},
};
// Versions of librdkafka that do not know them do without.
constexpr std::array<std::string_view, 3> kOptional = {"enable.metrics.push", "fetch.queue.backoff.ms", "retry.backoff.max.ms"};

bool is_producer(ClientKind kind) { return kind == ClientKind::kTransactions || kind == ClientKind::kEvents; }

bool is_optional(std::string_view name) {
  for (const std::string_view optional : kOptional)
    if (name == optional) return true;
  return false;
}

// Whether this is one of librdkafka's threads that speak with a broker. librdkafka 2.0.2 tells of most answers twice: where they arrive, and again
// in its main thread, which sends nothing.
thread_local bool sends_requests = false;

Client& client_of(void* opaque) { return *static_cast<Client*>(opaque); }

}  // namespace

std::string login_concern(const Security& security, int librdkafka_version) {
  if (!security.mechanism.starts_with("SCRAM-") || librdkafka_version >= kFirstVersionWithScram) return {};
  const auto part = [&](int shift) { return std::to_string(librdkafka_version >> shift & 0xff); };
  return security.mechanism + " needs librdkafka 2.6.1 or newer with Kafka 4; this is " + part(24) + "." + part(16) + "." + part(8) +
         ": brokers of Kafka 4 will refuse to let it in";
}

std::string login_concern(const Security& security) { return login_concern(security, rd_kafka_version()); }

Properties properties_of(const ClientOptions& options, ClientKind kind, const Properties& forced) {
  Properties all = kEveryDefault;
  const bool writes = is_producer(kind);
  add(all, writes ? kWriteDefaults : kReadDefaults);
  if (kind == ClientKind::kEvents) all.erase("transaction.timeout.ms");
  if (kind == ClientKind::kReader) {
    const size_t kilobytes = std::max<size_t>(options.prefetch_bytes_per_partition >> 10, 64);
    all["queued.max.messages.kbytes"] = std::to_string(kilobytes);
    all["queued.min.messages"] = "1000000";  // the bytes decide
  }
  add_security(all, options.security);
  add(all, options.properties);
  add(all, writes ? options.producer : options.consumer);
  all["bootstrap.servers"] = options.brokers;
  if (!all.contains("client.id")) all["client.id"] = options.instance.empty() ? options.application : options.instance;
  add(all, forced);
  return all;
}

// Produce, InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, TxnOffsetCommit.
bool is_transaction_request(int16_t api_key) {
  return api_key == kProduceRequest || api_key == 22 || (api_key >= 24 && api_key <= kEndTransactionRequest) || api_key == 28;
}

Result<std::unique_ptr<Client>> Client::open(const ClientOptions& options, ClientKind kind, const Properties& forced, Callbacks callbacks) {
  std::unique_ptr<Client> client(new Client(options, std::move(callbacks)));
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char text[512] = "";
  for (const auto& [name, value] : properties_of(options, kind, forced)) {
    const rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text);
    if (result == RD_KAFKA_CONF_OK || (result == RD_KAFKA_CONF_UNKNOWN && is_optional(name))) continue;
    rd_kafka_conf_destroy(conf);
    return fail(ErrorClass::kUsage, "kafka property " + name + ": " + text);
  }
  client->set_callbacks(conf, kind);
  rd_kafka_t* handle = rd_kafka_new(is_producer(kind) ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, text, sizeof text);
  if (handle == nullptr) {
    rd_kafka_conf_destroy(conf);
    return fail(ErrorClass::kUsage, std::string("kafka client: ") + text);
  }
  client->handle_.reset(handle);
  return client;
}

Client::~Client() = default;

void Client::set_callbacks(rd_kafka_conf_t* conf, ClientKind kind) {
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t* handle, int severity, const char* facility, const char* text) {
    // The name that 2.0.2 calls old is the one that its simple consumer obeys.
    if (std::string_view(text).find("auto.commit.enable is deprecated") != std::string_view::npos) return;
    const auto& log = client_of(rd_kafka_opaque(handle)).log_;
    if (log) log(severity, std::string(facility) + ": " + text);
  });
  rd_kafka_conf_set_error_cb(conf, [](rd_kafka_t* handle, int code, const char* reason, void* opaque) {
    Client& client = client_of(opaque);
    auto error = static_cast<rd_kafka_resp_err_t>(code);
    char fatal[512] = "";
    if (error == RD_KAFKA_RESP_ERR__FATAL) error = rd_kafka_fatal_error(handle, fatal, sizeof fatal);
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) client.all_down_.store(true, std::memory_order_relaxed);
    client.note_error(error_from(error, "kafka", *fatal != 0 ? fatal : reason).message);
    if (client.callbacks_.error) client.callbacks_.error(static_cast<rd_kafka_resp_err_t>(code), reason);
  });
  if (is_producer(kind)) {
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
      const Client& client = client_of(opaque);
      if (client.callbacks_.delivered) client.callbacks_.delivered(*message);
    });
  }
  if (kind == ClientKind::kGroupMember) {
    rd_kafka_conf_set_rebalance_cb(conf, [](rd_kafka_t*, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions, void* opaque) {
      client_of(opaque).callbacks_.rebalance(what, partitions);
    });
  }
  // Requests and answers are counted where they cross the socket: librdkafka retries by itself, and does not tell.
  const auto on_new = [](rd_kafka_t* handle, const rd_kafka_conf_t*, void* opaque, char*, size_t) -> rd_kafka_resp_err_t {
    const auto sent = [](rd_kafka_t*, int, const char*, int32_t, int16_t api_key, int16_t, int32_t, size_t, void* self) -> rd_kafka_resp_err_t {
      sends_requests = true;
      if (is_transaction_request(api_key)) client_of(self).unanswered_.fetch_add(1, std::memory_order_acq_rel);
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    };
    const auto received = [](rd_kafka_t*, int, const char*, int32_t, int16_t api_key, int16_t, int32_t, size_t, int64_t, rd_kafka_resp_err_t error,
                             void* self) -> rd_kafka_resp_err_t {
      if (sends_requests && error == RD_KAFKA_RESP_ERR_NO_ERROR) client_of(self).answered(api_key);
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    };
    rd_kafka_interceptor_add_on_request_sent(handle, "segue", sent, opaque);
    rd_kafka_interceptor_add_on_response_received(handle, "segue", received, opaque);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  };
  rd_kafka_conf_interceptor_add_on_new(conf, "segue", on_new, this);
}

void Client::answered(int16_t api_key) {
  answers_.fetch_add(1, std::memory_order_relaxed);
  if (is_transaction_request(api_key)) unanswered_.fetch_sub(1, std::memory_order_acq_rel);
  if (!has_error_.load(std::memory_order_relaxed)) return;
  all_down_.store(false, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  last_error_.clear();
  has_error_.store(false, std::memory_order_relaxed);
}

Result<Owned<rd_kafka_topic_t>> Client::topic(const std::string& name) {
  rd_kafka_topic_t* topic = rd_kafka_topic_new(handle_.get(), name.c_str(), nullptr);
  if (topic == nullptr) return tl::unexpected(error_from(rd_kafka_last_error(), "topic " + name));
  return Owned<rd_kafka_topic_t>(topic);
}

std::string Client::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void Client::note_error(std::string text) {
  const std::lock_guard lock(mutex_);
  last_error_ = std::move(text);
  has_error_.store(true, std::memory_order_relaxed);
}

}  // namespace segue::kafka
