// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <span>

#include "lib/base/result.h"
#include "lib/kafka/record_reader.h"

namespace segue::engine {

// The committed records of one partition of one topic, one after the other, up to an end that was fixed at the start.
class TopicCursor {
 public:
  // `end`: a high watermark.
  static Result<TopicCursor> open(const kafka::ClientOptions& client, kafka::TopicPartition source, uint64_t from, uint64_t end);

  // What is at hand and not taken yet: waits for the next records where that is nothing. Empty at the end. kRetry when no record comes for a minute.
  // Views are valid until the next call after all was taken.
  Result<std::span<const kafka::Record>> peek();
  void take(size_t count) { taken_ += count; }

 private:
  TopicCursor(std::unique_ptr<kafka::RecordReader> reader, kafka::TopicPartition source, uint64_t end)
      : reader_(std::move(reader)), source_(source), end_(end) {}

  std::unique_ptr<kafka::RecordReader> reader_;
  kafka::TopicPartition source_;
  uint64_t end_;
  std::span<const kafka::Record> records_;
  size_t taken_ = 0;
  bool ended_ = false;
};

}  // namespace segue::engine
