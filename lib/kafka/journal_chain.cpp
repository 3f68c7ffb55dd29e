// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/journal_chain.h"

#include <utility>

namespace segue::kafka {

std::string shard_name(std::string_view application, int32_t partition) { return std::string(application) + "-" + std::to_string(partition); }

JournalChain::JournalChain(std::string_view application, int32_t partition, bool check) : name_(shard_name(application, partition)), check_(check) {}

Result<std::optional<codec::JournalRecord>> JournalChain::take(const Record& record) {
  if (record.key != name_) return std::optional<codec::JournalRecord>{};
  const std::string place = "journal of " + name_ + " at offset " + std::to_string(record.offset);
  auto decoded = codec::decode_journal_record(record.value);
  if (!decoded) return fail(decoded.error().kind, place + ": " + decoded.error().message);
  if (check_ && last_) {
    if (decoded->sequence != last_->sequence + 1)
      return fail(ErrorClass::kData,
                  place + ": sequence " + std::to_string(decoded->sequence) + " does not follow " + std::to_string(last_->sequence));
    if (decoded->previous != last_->next)
      return fail(ErrorClass::kData, place + ": begins at input offset " + std::to_string(decoded->previous.offset) +
                                         ", the commit before it ended at " + std::to_string(last_->next.offset));
  }
  last_ = *decoded;
  last_offset_ = record.offset;
  return std::optional<codec::JournalRecord>(std::move(*decoded));
}

}  // namespace segue::kafka
