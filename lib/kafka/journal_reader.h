// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "lib/base/result.h"
#include "lib/codec/journal_record.h"
#include "lib/kafka/client_options.h"
#include "lib/kafka/defences.h"

namespace segue::kafka {

// How a journal partition is read to its end.
struct JournalReading {
  int32_t partition = 0;
  uint64_t from = 0;                             // an offset; one that the log does not hold reads from the log's beginning
  std::chrono::milliseconds deadline{60'000};    // without any record
  const std::atomic<bool>* cancelled = nullptr;  // ends the reading early, as kStop
  const std::atomic<bool>* ending = nullptr;     // likewise
  bool after_init = false;                       // nobody but the caller can write to the partition's outputs
  Defences defences;
};

// What was found besides what `visit` saw.
struct JournalEnd {
  bool from_beginning = false;  // of what the log still holds
  uint64_t low = 0;             // the log's first offset
};

// Calls `visit` with this application's committed records of the partition, and their offsets, up to the end: everything below the high watermark at
// the time of the call, transactions that were open then included, once they kRetry when nothing came for as long as the deadline. The chain
// is checked (kData). With `after_init` also kRetry where transitions or dead letters have an open transaction: its coordinator has forgotten it, and
// the marker of the caller's next commit would make its records visible.
Result<JournalEnd> read_journal(const ClientOptions& options, const JournalReading& reading,
                                const std::function<Result<>(const codec::JournalRecord&, uint64_t offset)>& visit);

}  // namespace segue::kafka
