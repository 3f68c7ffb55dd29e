// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/codec/journal_record.h"
#include "lib/kafka/record_reader.h"

namespace segue::kafka {

// The key of a shard's journal records, APPLICATION-PARTITION; also its transactional id.
std::string shard_name(std::string_view application, int32_t partition);

// Turns the records of a journal partition into one shard's journal records, and checks that each follows the one before: sequence by one, input
// position from where the last one ended.
class JournalChain {
 public:
  JournalChain(std::string_view application, int32_t partition, bool check = true);

  // Empty for another application's record. kData for bytes that are no journal record, or one that does not follow.
  Result<std::optional<codec::JournalRecord>> take(const Record& record);
  // The last one taken, and its offset in the journal's partition.
  const std::optional<codec::JournalRecord>& last() const { return last_; }
  uint64_t last_offset() const { return last_offset_; }

 private:
  const std::string name_;
  const bool check_;
  std::optional<codec::JournalRecord> last_;
  uint64_t last_offset_ = 0;
};

}  // namespace segue::kafka
