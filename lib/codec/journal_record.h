// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/position.h"
#include "lib/base/result.h"
#include "lib/base/time.h"

namespace segue::codec {

// What a commit left behind in one of its output streams.
struct OutputMark {
  uint64_t count = 0;     // records of this commit
  uint64_t checksum = 0;  // hash64 of their bytes, newlines included; 0 when count is 0
  uint64_t length = 0;    // bytes of the stream after this commit (embedded mode: the durable length of the file)

  friend bool operator==(const OutputMark&, const OutputMark&) = default;
};

inline constexpr uint32_t kNoSweep = UINT32_MAX;

// One commit: what makes replay exact and lets it check itself. Layout in docs/formats/journal.md.
struct JournalRecord {
  uint64_t sequence = 0;  // 1, 2, … within a shard
  Position previous;      // where the input stood before
  Position next;          // and stands after
  Time high = kNoTime;    // the largest valid event time seen so far; the clock is this less the lateness
  OutputMark transitions;
  OutputMark dead_letters;
  std::string definitions;  // hash of the definitions in force after the commit, 32 hexadecimal digits
  std::string program;      // version of the program that committed
  bool wall_clock = false;  // `high` is a step of the wall clock, behind every event of the commit
  // A sweep re-evaluates every user after new definitions came into force: users with a lower number are done; kNoSweep when none is going on.
  uint32_t sweep = kNoSweep;
  // 0: every timer due at the clock has fired. Else the commit ends between two timers of one moment, the clock's: how many the shard has fired since
  // its beginning.
  uint64_t timers = 0;
  std::string definitions_text;  // YAML, in the commit that brings them into force (the first one too); else empty
  std::string erasure_key;       // 16 bytes in the first commit, else empty

  friend bool operator==(const JournalRecord&, const JournalRecord&) = default;
};

// Appends the record's payload (without frame).
void encode(const JournalRecord& record, std::string& out);
// kData when the bytes are not exactly one record of a known version.
Result<JournalRecord> decode_journal_record(std::string_view bytes);

}  // namespace segue::codec
