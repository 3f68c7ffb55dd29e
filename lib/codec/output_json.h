// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/position.h"
#include "lib/event/reject_reason.h"
#include "lib/segment/definitions.h"
#include "lib/shard/output.h"

namespace segue::codec {

// Outputs as NDJSON lines (docs/formats/outputs.md). What does not change from line to line is put together once.
class OutputWriter {
 public:
  explicit OutputWriter(const segment::Definitions& definitions);

  // Appends one line with its newline.
  void append(const shard::Output& output, std::string& out) const;

 private:
  std::vector<std::string> moves_;        // by move: ,"type":"move","name":…,"from":…,"to":…
  std::vector<std::string> definitions_;  // by definition: ,"name":… of a segment or plain tag
  std::string version_;                   // ,"definitions":…
};

// What "type" is in the output's line; of static duration.
std::string_view output_type(const shard::Output& output);

// One dead letter: its position, the reason and the record's bytes; `raw` is base64 in "raw_base64" where it is not UTF-8. `partition` names the log.
void append_dead_letter(std::string_view partition, Position at, event::RejectReason reason, std::string_view raw, std::string& out);

// The same of a record in a topic, where a line has no number.
struct DeadLetterRecord {
  std::string_view topic;
  int32_t partition = 0;
  uint64_t offset = 0;
  event::RejectReason reason = event::RejectReason::kInvalidJson;
  std::string_view raw;
  uint64_t bytes = 0;  // of the record, where `raw` is only its beginning; else 0
};
void append_dead_letter(const DeadLetterRecord& record, std::string& out);

}  // namespace segue::codec
