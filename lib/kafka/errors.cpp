// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/errors.h"

#include <string>

namespace segue::kafka {

// What a person can mend without a restart is kRetry: the partition waits with the reason, and goes on by itself once it is mended.
ErrorMeaning meaning_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
      return {ErrorClass::kStop, "another producer with the same transactional id took over"};
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      return {ErrorClass::kStop, "another process runs with the same instance id"};
      return {ErrorClass::kRetry, "another process runs with the same instance id"};
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return {ErrorClass::kRetry, "a record is larger than the broker takes: raise max.message.bytes of the topic"};
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return {ErrorClass::kRetry, "the broker refuses a record: is the topic compacted, or has it a policy?"};
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
      return {ErrorClass::kRetry, "this host's clock is ahead of the broker's by more than message.timestamp.after.max.ms"};
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return {ErrorClass::kRetry, "a policy of the broker forbids it"};
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return {ErrorClass::kRetry, "the topic or the partition does not exist"};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return {ErrorClass::kRetry, "no right to this topic: grant READ or WRITE"};
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return {ErrorClass::kRetry, "no right to the consumer group: grant READ"};
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return {ErrorClass::kRetry, "no right to the transactional id: grant WRITE and DESCRIBE on ids that begin with the application's name"};
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return {ErrorClass::kRetry, "no right to write with idempotence"};
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return {ErrorClass::kRetry, "the broker refuses user name or password"};
    case RD_KAFKA_RESP_ERR__SSL:
      return {ErrorClass::kRetry, "TLS failed: certificate or CA file?"};
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return {ErrorClass::kRetry, "fewer replicas in sync than min.insync.replicas"};
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
      return {ErrorClass::kRetry, "no answer from the broker"};
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
      return {ErrorClass::kUsage, "transaction.timeout.ms is above the broker's transaction.max.timeout.ms"};
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
      return {ErrorClass::kStop, "the broker is too old: transactions need Kafka 2.5 or later"};
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
      return {ErrorClass::kUsage, {}};
    default:
      return {ErrorClass::kRetry, {}};
  }
}

Error error_from(rd_kafka_resp_err_t code, std::string_view doing, std::string_view detail) {
  const ErrorMeaning meaning = meaning_of(code);
  Error error{meaning.kind, std::string(doing)};
  error.message += ": ";
  error.message += detail.empty() ? std::string_view(rd_kafka_err2str(code)) : detail;
  if (!meaning.words.empty()) {
    error.message += " (";
    error.message += meaning.words;
    error.message += ")";
  }
  return error;
}

bool is_refusal(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
         code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

bool is_fenced(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED || code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

}  // namespace segue::kafka
