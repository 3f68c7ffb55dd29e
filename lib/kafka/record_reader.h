// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/time.h"
#include "lib/kafka/client_options.h"
#include "lib/kafka/defences.h"

struct rd_kafka_message_s;

namespace segue::kafka {

struct TopicPartition {
  Topic topic = Topic::kInput;
  int32_t partition = 0;

  friend constexpr auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// One record as it lies in librdkafka's memory.
struct Record {
  std::string_view key;
  std::string_view value;
  uint64_t offset = 0;
  Time timestamp = kNoTime;
  bool log_append_time = false;  // `timestamp` is the broker's, else the producer's
  rd_kafka_message_s* message = nullptr;
};
// The value of a header; the last one where there are several. Valid as the record is.
std::optional<std::string_view> find_header(const Record& record, const char* name);

// Records of one partition, offsets rising. Offsets that are missing belong to aborted transactions, markers and compaction.
struct PartitionRecords {
  TopicPartition source;
  std::span<const Record> records;  // never empty
};
// Everything before `offset` that a read-committed reader can see now has been handed over.
struct PartitionEnd {
  TopicPartition source;
  uint64_t offset = 0;
};
enum class ReadTrouble : uint8_t {
  kOutOfRange,  // the offset is no longer, or not yet, in the log: reading has stopped
  kRefused,     // not authorised, unknown topic, damaged batch: goes on by itself when that ends
};
struct PartitionTrouble {
  TopicPartition source;
  ReadTrouble kind = ReadTrouble::kRefused;
  Error error;
};

// What one poll found. Views are valid until the next poll or the end of the reader.
struct ReadBatch {
  std::vector<PartitionRecords> records;
  std::vector<PartitionEnd> ends;  // after the records of the same partition
  std::vector<PartitionTrouble> troubles;

  bool empty() const { return records.empty() && ends.empty() && troubles.empty(); }
};

// Reads partitions from offsets that the caller gives, read-committed and without a group: the data side of a GroupConsumer, and what a standby
// follows input and journal with. One owner thread, except for wake() and connected(). A paused partition keeps what was fetched ahead and costs
// nothing to resume. Memory: prefetch_bytes_per_partition for each partition started, and one fetch answer a broker.
class RecordReader {
 public:
  struct Limits {
    size_t records_per_partition = 4096;  // in one poll
    size_t records = 16384;               // in one poll, over all partitions
    // How long a broker holds a fetch that finds nothing: the end of a partition is told after that.
    std::chrono::milliseconds fetch_wait{100};
  };

  static Result<std::unique_ptr<RecordReader>> open(const ClientOptions& options, Limits limits, Defences defences = {});
  static Result<std::unique_ptr<RecordReader>> open(const ClientOptions& options) { return open(options, Limits{}); }
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  // Begins to fetch. The first record handed over has this offset or a larger one. A partition that is started already begins anew. That a topic
  // is missing is not told: TopicInspector knows; reading begins when it is there.
  Result<> start(TopicPartition source, uint64_t offset);
  // Nothing of the partition comes any more; no-op where it is not started. Does not wait for a broker.
  void stop(TopicPartition source);
  void pause(TopicPartition source);
  void resume(TopicPartition source);
  bool started(TopicPartition source) const;
  // The offset that comes next: behind the last record handed over, or the last end told.
  uint64_t position(TopicPartition source) const;

  // Waits until there is something, wake() was called or the time is over; then takes what is there without waiting, partitions in turn.
  const ReadBatch& poll(std::chrono::milliseconds timeout);
  // From any thread: the poll that waits, or the next one, returns at once.
  void wake();

  // Whether at least one broker is in reach, as far as librdkafka knows; from any thread.
  bool connected() const;
  // Records dropped by check_record_offsets.
  uint64_t records_dropped() const;
  // The last error that concerns no partition; empty when all is well again.
  std::string last_error() const;

 private:
  friend class GroupConsumer;
  class Impl;
  explicit RecordReader(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace segue::kafka
