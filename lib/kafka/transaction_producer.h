// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/result.h"
#include "lib/kafka/client.h"
#include "lib/kafka/client_options.h"
#include "lib/kafka/defences.h"
#include "lib/kafka/group_membership.h"
#include "lib/kafka/output_records.h"
#include "lib/pipeline/commit_port.h"

namespace segue::kafka {

// How one attempt ended.
enum class Attempt : uint8_t {
  kCommitted,
  kAborted,  // nothing is there; the same producer may try again
  kInDoubt,  // it may be there or not, or the producer is of no more use: a new producer, then the journal
  kFenced,   // as kInDoubt, and somebody else may be at it
};

struct AttemptResult {
  Attempt attempt = Attempt::kInDoubt;
  Error error;                   // unless committed
  bool recycle = false;          // committed or aborted, but a late request could still arrive
  bool out_of_time = false;      // not committed, though a broker answered: more time may help
  bool refused = false;          // a right is missing: it is of no use to try again soon
  bool offsets_refused = false;  // aborted for the group's sake: the outputs may go without offsets
  std::optional<uint64_t> journal_offset;
};

// One transactional producer: what it needs of librdkafka's rules, and no policy. One thread.
class TransactionProducer {
 public:
  static constexpr std::chrono::milliseconds kAttempt{15'000};

  struct Options {
    int32_t partition = 0;
    std::string transactional_id;
    std::chrono::milliseconds slow{500};
    // How long a transaction may take. The broker's limits are set beyond it where it is longer than kAttempt.
    std::chrono::milliseconds attempt = kAttempt;
    // Told when a call gets no answer for a while and goes on.
    std::function<void(const Error&)> on_waiting;
    Defences defences;
  };

  static Result<std::unique_ptr<TransactionProducer>> make(const ClientOptions& client, Options options);
  // Drops what is not sent; does not wait for a broker.
  ~TransactionProducer();

  // Fences every older producer of the id, and ends its transaction. Repeats for as long as the broker is away: until `deadline`, kRetry then.
  Result<> init(std::chrono::steady_clock::time_point deadline, const std::atomic<bool>& cancelled);
  // Ends what an older producer of this id left open in our partition of the output topics without its coordinator's knowledge: a broker that was
  // killed may keep such a transaction for ever, and a reader sees nothing behind it. A record to each, then the abort, whose markers end both. Only
  // right after init(); best effort.
  void end_hanging(const std::atomic<bool>& cancelled);
  // end_hanging() was slow or left a request unanswered: its abort could still arrive, in the middle of the next transaction.
  bool doubtful() const { return doubtful_; }
  // One transaction. `commit` stays as it is until this producer is gone or the result is kCommitted or kAborted. Null identity: no offsets.
  AttemptResult attempt(const pipeline::Commit& commit, const GroupMembership::Identity* identity, const std::atomic<bool>& cancelled);
  // Serves callbacks while nothing goes on.
  void poll() { client_->poll(0); }
  // The last call failed for want of a right.
  bool refused() const { return refused_; }

 private:
  // An error of a call, and whether it is the same call, an abort, or a new producer that helps.
  struct CallError {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    bool retriable = false;
    bool requires_abort = false;
    Error error;
  };
  using Call = std::function<rd_kafka_error_t*(int timeout_ms)>;

  TransactionProducer(const ClientOptions& client, Options options);
  Result<> open(const ClientOptions& client);
  std::optional<CallError> repeat(std::string_view doing, const Call& call, std::chrono::steady_clock::time_point deadline,
                                  const std::atomic<bool>& cancelled);
  AttemptResult attempt_once(const pipeline::Commit& commit, const GroupMembership::Identity* identity, const std::atomic<bool>& cancelled);
  std::optional<CallError> send_offsets(const pipeline::Commit& commit, const GroupMembership::Identity& identity,
                                        std::chrono::steady_clock::time_point deadline, const std::atomic<bool>& cancelled);
  std::optional<CallError> produce_all(const pipeline::Commit& commit, std::chrono::steady_clock::time_point deadline);
  std::optional<CallError> produce(rd_kafka_topic_t* topic, OutputRecord record, void* opaque, std::chrono::steady_clock::time_point deadline);
  AttemptResult give_up(CallError error, const std::atomic<bool>& cancelled);
  void on_delivered(const rd_kafka_message_t& message);

  const Options options_;
  const std::string input_topic_;
  const std::string journal_key_;
  const OutputRecords records_;
  std::string journal_value_;
  std::unique_ptr<Client> client_;
  Owned<rd_kafka_topic_t> transitions_;
  Owned<rd_kafka_topic_t> dead_letters_;
  Owned<rd_kafka_topic_t> journal_;
  std::optional<uint64_t> journal_offset_;
  std::optional<Error> delivery_error_;  // the first of this transaction
  bool refused_ = false;                 // of this transaction, or of init()
  bool timed_out_ = false;               // a record of this transaction
  bool doubtful_ = false;
};

}  // namespace segue::kafka
