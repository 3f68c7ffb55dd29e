// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "lib/base/result.h"
#include "lib/codec/journal_record.h"
#include "lib/pipeline/outputs.h"

namespace segue::pipeline {

// What becomes durable and visible together.
struct Commit {
  Outputs outputs;
  codec::JournalRecord record;  // complete: sequence and marks too
};

// Port: where one shard's outputs and journal go, atomically (local files, or a Kafka transaction). One owner thread calls everything; an
// implementation may do the work on a thread of its own.
class CommitPort {
 public:
  // `place`: a hint (below) that finds this record and all behind it.
  using Visit = std::function<Result<>(const codec::JournalRecord& record, uint64_t place)>;

  CommitPort() = default;
  CommitPort(const CommitPort&) = delete;
  CommitPort& operator=(const CommitPort&) = delete;
  virtual ~CommitPort() = default;

  // Calls `visit` with every committed record after `sequence`, in order, up to the journal's end. Stops at the first error and returns it.
  // `hint`: the place of that record, or of an earlier one; 0 looks from the beginning.
  virtual Result<> for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit) = 0;

  // Begins to make the commit durable, all or nothing, behind the one before it. Takes the contents, and leaves cleared buffers of an earlier commit
  // in their place. Requires that settled() was true. After an error nothing counts, the commit is untouched, and the call may be repeated (kRetry).
  virtual Result<> submit(Commit& commit) = 0;
  // Whether nothing is in flight. An implementation sends an aborted commit again by itself, as long as it takes; an error means that the commit in
  // flight will never be made by this port: another owner has the shard (kStop), or what the reason says.
  virtual Result<bool> settled() = 0;
  // Waits until settled() is true or an error.
  virtual Result<> wait() = 0;

  // The place of the last settled record: an offset in a Kafka topic; 0 where places are not needed.
  virtual uint64_t journal_hint() const = 0;
};

}  // namespace segue::pipeline
