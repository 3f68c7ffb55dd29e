// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/transaction_producer.h"

#include <algorithm>
#include <utility>

#include "lib/kafka/errors.h"
#include "lib/kafka/journal_chain.h"

namespace segue::kafka {
namespace {

using Clock = std::chrono::steady_clock;

// How soon a cancelled call ends. librdkafka goes on with a call that timed out when it is called again.
constexpr std::chrono::milliseconds kCallSlice{250};
constexpr std::chrono::seconds kAbort{5};
constexpr std::chrono::milliseconds kBrokerWaits{5'000};     // longer than we do, so that it is we who decide
constexpr std::chrono::milliseconds kLongestAnswer{60'000};  // of one request

}  // namespace

TransactionProducer::TransactionProducer(const ClientOptions& client, Options options)
    : options_(std::move(options)),
      input_topic_(client.topics.input),
      journal_key_(shard_name(client.application, options_.partition)),
      records_(client.application, options_.partition, client.topics.input) {}

TransactionProducer::~TransactionProducer() {
  if (client_) rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

Result<std::unique_ptr<TransactionProducer>> TransactionProducer::make(const ClientOptions& client, Options options) {
  std::unique_ptr<TransactionProducer> producer(new TransactionProducer(client, std::move(options)));
  SEGUE_TRY(producer->open(client));
  return producer;
}

Result<> TransactionProducer::open(const ClientOptions& client) {
  Properties forced = {
      {"transactional.id", options_.transactional_id}, {"enable.idempotence", "true"},          {"acks", "all"},
      {"max.in.flight.requests.per.connection", "5"},  {"delivery.report.only.error", "false"},  // the journal record's offset comes with its report
  };
  if (options_.attempt > kAttempt) {
    forced["message.timeout.ms"] = std::to_string(options_.attempt.count());
    forced["transaction.timeout.ms"] = std::to_string((options_.attempt + kBrokerWaits).count());
    forced["socket.timeout.ms"] = std::to_string(std::min<int64_t>(options_.attempt.count() / 2, kLongestAnswer.count()));
  }
  Client::Callbacks callbacks;
  callbacks.delivered = [this](const rd_kafka_message_t& message) { on_delivered(message); };
  auto opened = Client::open(client, ClientKind::kTransactions, forced, std::move(callbacks));
  if (!opened) return tl::unexpected(std::move(opened).error());
  client_ = std::move(*opened);
  for (auto [slot, name] :
       {std::pair{&transitions_, &client.topics.transitions}, {&dead_letters_, &client.topics.dead_letters}, {&journal_, &client.topics.journal}}) {
    auto topic = client_->topic(*name);
    if (!topic) return tl::unexpected(std::move(topic).error());
    *slot = std::move(*topic);
  }
  return {};
}

void TransactionProducer::on_delivered(const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (message._private == &journal_offset_ && message.offset >= 0) journal_offset_ = static_cast<uint64_t>(message.offset);
    return;
  }
  // After the first failure librdkafka purges the rest of the transaction: that says nothing of the reason.
  if (message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || message.err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) return;
  const char* topic = message.rkt == nullptr ? "?" : rd_kafka_topic_name(message.rkt);
  const std::string doing = "writing " + std::to_string(message.len) + " bytes to " + topic + "/" + std::to_string(options_.partition);
  if (!delivery_error_) delivery_error_ = error_from(message.err, doing);
  refused_ = refused_ || is_refusal(message.err);
  timed_out_ = timed_out_ || message.err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
}

// The same call for as long as it may be repeated. Null: it went well.
std::optional<TransactionProducer::CallError> TransactionProducer::repeat(std::string_view doing, const Call& call, Clock::time_point deadline,
                                                                          const std::atomic<bool>& cancelled) {
  for (;;) {
    const Owned<rd_kafka_error_t> failed(call(static_cast<int>(kCallSlice.count())));
    if (!failed) return std::nullopt;
    CallError error;
    error.code = rd_kafka_error_code(failed.get());
    refused_ = refused_ || is_refusal(error.code);
    error.retriable = rd_kafka_error_is_retriable(failed.get()) != 0;
    error.requires_abort = rd_kafka_error_txn_requires_abort(failed.get()) != 0;
    error.error = error_from(error.code, doing, rd_kafka_error_string(failed.get()));
    const bool again = (error.retriable || error.code == RD_KAFKA_RESP_ERR__TIMED_OUT) && !error.requires_abort;
    if (!again || cancelled || Clock::now() >= deadline) return error;
    // A call that fails at once and is repeated is librdkafka's everyday.
    if (options_.on_waiting && error.code == RD_KAFKA_RESP_ERR__TIMED_OUT) {
      const std::string why = client_->last_error();
      if (!why.empty()) error.error.message += "; " + why;
      options_.on_waiting(error.error);
    }
    client_->poll(1);
  }
}

Result<> TransactionProducer::init(Clock::time_point deadline, const std::atomic<bool>& cancelled) {
  const auto init = [this](int timeout_ms) { return rd_kafka_init_transactions(client_->get(), timeout_ms); };
  auto error = repeat("becoming the only writer as " + options_.transactional_id, init, deadline, cancelled);
  if (!error) return {};
  if (const std::string why = client_->last_error(); !why.empty()) error->error.message += "; " + why;
  if (is_fenced(error->code)) error->error.kind = ErrorClass::kRetry;  // two of us at the same moment: the later one wins
  return tl::unexpected(std::move(error->error));
}

void TransactionProducer::end_hanging(const std::atomic<bool>& cancelled) {
  const auto began = Clock::now();
  const auto deadline = began + kAbort;
  const auto begin = [this](int) { return rd_kafka_begin_transaction(client_->get()); };
  if (repeat("beginning a transaction", begin, deadline, cancelled)) return;
  for (rd_kafka_topic_t* topic : {transitions_.get(), dead_letters_.get(), journal_.get()}) {
    OutputRecord record;
    record.key = journal_key_;
    if (produce(topic, std::move(record), nullptr, deadline)) break;
  }
  // An abort drops what was not sent, and only partitions that were written to get its marker.
  rd_kafka_flush(client_->get(), static_cast<int>(kAbort.count()) * 1000);
  const auto abort = [this](int timeout_ms) { return rd_kafka_abort_transaction(client_->get(), timeout_ms); };
  const auto failed = repeat("aborting", abort, Clock::now() + kAbort, cancelled);
  doubtful_ = failed.has_value() || Clock::now() - began > options_.slow || client_->unanswered() != 0;
}

AttemptResult TransactionProducer::attempt(const pipeline::Commit& commit, const GroupMembership::Identity* identity,
                                           const std::atomic<bool>& cancelled) {
  const auto began = Clock::now();
  const uint64_t answers = client_->answers();
  refused_ = timed_out_ = false;
  AttemptResult result = attempt_once(commit, identity, cancelled);
  if (result.attempt == Attempt::kCommitted) return result;
  result.refused = refused_;
  const bool too_long = timed_out_ || Clock::now() - began >= options_.attempt;
  result.out_of_time = too_long && client_->answers() != answers;
  return result;
}

AttemptResult TransactionProducer::attempt_once(const pipeline::Commit& commit, const GroupMembership::Identity* identity,
                                                const std::atomic<bool>& cancelled) {
  const auto began = Clock::now();
  const auto deadline = began + options_.attempt;
  journal_offset_.reset();
  delivery_error_.reset();
  const auto begin = [this](int) { return rd_kafka_begin_transaction(client_->get()); };
  if (auto error = repeat("beginning a transaction", begin, deadline, cancelled)) return give_up(std::move(*error), cancelled);
  // Offsets before the first record: a broker that still finishes the transaction before is then asked again after retry.backoff.ms instead of
  // the fixed 20 ms that adding a partition waits.
  if (identity != nullptr) {
    if (auto error = send_offsets(commit, *identity, deadline, cancelled)) {
      AttemptResult result = give_up(std::move(*error), cancelled);
      result.offsets_refused = result.attempt == Attempt::kAborted;
      return result;
    }
  }
  if (auto error = produce_all(commit, deadline)) return give_up(std::move(*error), cancelled);
  const auto finish = [this](int timeout_ms) { return rd_kafka_commit_transaction(client_->get(), timeout_ms); };
  if (auto error = repeat("committing", finish, deadline, cancelled)) return give_up(std::move(*error), cancelled);
  AttemptResult result;
  result.attempt = Attempt::kCommitted;
  result.journal_offset = journal_offset_;
  result.recycle = Clock::now() - began > options_.slow || client_->unanswered() != 0;
  return result;
}

std::optional<TransactionProducer::CallError> TransactionProducer::send_offsets(const pipeline::Commit& commit,
                                                                                const GroupMembership::Identity& identity, Clock::time_point deadline,
                                                                                const std::atomic<bool>& cancelled) {
  rd_kafka_consumer_group_metadata_t* read = nullptr;
  const Owned<rd_kafka_error_t> unreadable(rd_kafka_consumer_group_metadata_read(&read, identity.metadata.data(), identity.metadata.size()));
  const Owned<rd_kafka_consumer_group_metadata_t> metadata(read);
  if (unreadable) return std::nullopt;  // nobody needs the offset
  const Owned<rd_kafka_topic_partition_list_t> offsets(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(offsets.get(), input_topic_.c_str(), options_.partition)->offset =
      static_cast<int64_t>(commit.record.next.offset);
  const auto send = [&](int timeout_ms) { return rd_kafka_send_offsets_to_transaction(client_->get(), offsets.get(), metadata.get(), timeout_ms); };
  return repeat("telling the group its offset", send, deadline, cancelled);
}

std::optional<TransactionProducer::CallError> TransactionProducer::produce(rd_kafka_topic_t* topic, OutputRecord record, void* opaque,
                                                                           Clock::time_point deadline) {
  for (;;) {
    // Values are not copied: they lie in the commit, which outlives the transaction.
    const rd_kafka_resp_err_t code =
        rd_kafka_producev(client_->get(), RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(options_.partition), RD_KAFKA_V_MSGFLAGS(0),
                          RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
                          RD_KAFKA_V_KEY(record.has_key ? record.key.data() : nullptr, record.has_key ? record.key.size() : 0),
                          RD_KAFKA_V_HEADERS(record.headers.get()), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      static_cast<void>(record.headers.release());  // librdkafka's now
      return std::nullopt;
    }
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || Clock::now() >= deadline) {
      CallError error;
      error.code = code;
      error.requires_abort = true;
      error.error = error_from(code, std::string("writing to ") + rd_kafka_topic_name(topic) + "/" + std::to_string(options_.partition));
      return error;
    }
    client_->poll(5);
  }
}

std::optional<TransactionProducer::CallError> TransactionProducer::produce_all(const pipeline::Commit& commit, Clock::time_point deadline) {
  const pipeline::Outputs& outputs = commit.outputs;
  for (size_t i = 0; i < outputs.transitions.size(); ++i)
    if (auto error = produce(transitions_.get(), records_.transition(outputs, i), nullptr, deadline)) return error;
  for (size_t i = 0; i < outputs.dead_letters.size(); ++i)
    if (auto error = produce(dead_letters_.get(), records_.dead_letter(outputs, i), nullptr, deadline)) return error;
  journal_value_.clear();
  codec::encode(commit.record, journal_value_);
  OutputRecord record;
  record.key = journal_key_;
  record.value = journal_value_;
  return produce(journal_.get(), std::move(record), &journal_offset_, deadline);
}

// After an error: aborts where that is enough. A broker that asks for an abort has committed nothing.
AttemptResult TransactionProducer::give_up(CallError error, const std::atomic<bool>& cancelled) {
  AttemptResult result;
  result.error = delivery_error_.value_or(error.error);
  const bool fenced = is_fenced(error.code);
  result.attempt = fenced ? Attempt::kFenced : Attempt::kInDoubt;
  if (fenced || !error.requires_abort) return result;
  const auto began = Clock::now();
  const auto abort = [this](int timeout_ms) { return rd_kafka_abort_transaction(client_->get(), timeout_ms); };
  const auto failed = repeat("aborting", abort, began + kAbort, cancelled);
  if (failed) {
    if (is_fenced(failed->code)) result.attempt = Attempt::kFenced;
    return result;
  }
  result.attempt = Attempt::kAborted;
  result.recycle = Clock::now() - began > options_.slow || client_->unanswered() != 0;
  return result;
}

}  // namespace segue::kafka
