// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/time.h"
#include "lib/kafka/client_options.h"

namespace segue::kafka {

// The offsets at the two ends of a partition. `high` counts records of open transactions and markers too, so it may be above the last end that a
// reader is told.
struct Watermarks {
  uint64_t low = 0;
  uint64_t high = 0;
};
struct PartitionWatermarks {
  int32_t partition = 0;
  Result<Watermarks> watermarks;
};

// What the broker's settings of a topic mean for us. Absent: not told (no right to ask).
struct TopicSettings {
  std::optional<std::string> cleanup_policy;           // delete, compact, compact,delete
  std::optional<std::chrono::milliseconds> retention;  // negative: for ever
  std::optional<int64_t> retention_bytes;              // a partition; negative: no bound
  std::optional<int64_t> max_message_bytes;
  std::optional<std::string> timestamp_type;  // CreateTime, LogAppendTime
};

// Partition counts of the four topics, in the order of Topic. 0: does not exist.
struct TopicPartitions {
  std::array<int32_t, kTopics> count{};

  int32_t operator[](Topic topic) const { return count[static_cast<size_t>(topic)]; }
};

// Whether the records of open transactions count.
enum class Isolation : uint8_t { kUncommitted, kCommitted };

// Questions to the brokers that may take their time; never on a thread that must not wait. One thread at a time.
class TopicInspector {
 public:
  // `isolation` is that of watermarks(): with kCommitted `high` is where a read-committed reader finds the end now.
  static Result<std::unique_ptr<TopicInspector>> open(const ClientOptions& options, Isolation isolation = Isolation::kUncommitted);
  ~TopicInspector();
  TopicInspector(const TopicInspector&) = delete;
  TopicInspector& operator=(const TopicInspector&) = delete;

  // kRetry: no broker answered in time. A topic that is missing is no error.
  Result<TopicPartitions> partitions(std::chrono::milliseconds timeout);
  // The same of one topic.
  Result<int32_t> partitions(Topic topic, std::chrono::milliseconds timeout);
  // One entry a partition asked for. The offsets were read after the call began: with T taken before, everything appended before T is below `high`.
  std::vector<PartitionWatermarks> watermarks(Topic topic, std::span<const int32_t> partitions, std::chrono::milliseconds timeout);
  Result<TopicSettings> settings(Topic topic, std::chrono::milliseconds timeout);
  // concerns_about() the topics as they are; they must exist.
  Result<std::vector<std::string>> concerns(std::chrono::milliseconds timeout);

 private:
  class Impl;
  explicit TopicInspector(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

// What an operator should know about the topics before trusting them, a sentence each; empty when all is well.
std::vector<std::string> concerns_about(const std::array<TopicSettings, kTopics>& settings, const Topics& names);

}  // namespace segue::kafka
