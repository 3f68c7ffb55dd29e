// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "lib/base/result.h"
#include "lib/codec/journal_record.h"

namespace segue::pipeline {

// What one commit tells the world: whole lines, in order.
struct CommitOutputs {
  std::string_view transitions;
  uint64_t transition_count = 0;
  std::string_view dead_letters;
  uint64_t dead_letter_count = 0;
};

// Port: where one shard's outputs and journal go, atomically (local files; a Kafka transaction later).
class CommitPort {
 public:
  CommitPort() = default;
  CommitPort(const CommitPort&) = delete;
  CommitPort& operator=(const CommitPort&) = delete;
  virtual ~CommitPort() = default;

  // Calls `visit` with every committed record after `sequence`, in order. Stops at the first error and returns it.
  virtual Result<> for_each_since(uint64_t sequence, const std::function<Result<>(const codec::JournalRecord&)>& visit) = 0;
  // Makes outputs and record durable, all or nothing. Fills in the record's sequence and marks. After an error nothing counts and the same call
  // may be made again.
  virtual Result<> commit(const CommitOutputs& outputs, codec::JournalRecord& record) = 0;
};

}  // namespace segue::pipeline
