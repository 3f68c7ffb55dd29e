// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/time.h"
#include "lib/kafka/client.h"
#include "lib/pipeline/outputs.h"

namespace segue::kafka {

// RFC 3339 in UTC with milliseconds, as in `2026-11-22T00:54:00.123Z`.
std::string time_text(Time time);

// One record to write: views into the outputs that it was taken from, and its headers.
struct OutputRecord {
  std::string_view key;
  bool has_key = true;
  std::string_view value;
  Owned<rd_kafka_headers_t> headers;
};

// The outputs of a commit one by one, as docs/formats/topics.md has them.
class OutputRecords {
 public:
  // A longer record is cut in the dead-letter topic: brokers take 1 MiB by default, and it was of no use anyway.
  static constexpr size_t kLongestDeadLetter = 512 << 10;

  OutputRecords(std::string_view application, int32_t partition, std::string_view input_topic);

  OutputRecord transition(const pipeline::Outputs& outputs, size_t index) const;
  OutputRecord dead_letter(const pipeline::Outputs& outputs, size_t index) const;

 private:
  const std::string source_;  // /segue/APPLICATION/PARTITION
  const std::string input_topic_;
  const std::string partition_;
};

}  // namespace segue::kafka
