// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lib/filelog/file_system.h"

namespace segue::filelog {

// Where a reader of a shard's output files has to stop.
struct DurableLengths {
  uint64_t transitions = 0;
  uint64_t dead_letters = 0;
  uint64_t sequence = 0;  // of the last commit; 0 = none yet
};

// Reads the journal and changes nothing, so it may run beside the writer. kUsage when there is no journal.
Result<DurableLengths> durable_lengths(FileSystem& files, const std::string& directory, const std::string& shard);

struct CommitReport {
  uint64_t commits = 0;
  uint64_t transitions = 0;   // lines
  uint64_t dead_letters = 0;  // lines
  // Left by a writer that is at work or was killed: none of them after a clean stop.
  uint64_t torn_journal_bytes = 0;
  uint64_t uncommitted_transition_bytes = 0;
  uint64_t uncommitted_dead_letter_bytes = 0;

  bool clean() const { return torn_journal_bytes + uncommitted_transition_bytes + uncommitted_dead_letter_bytes == 0; }
};

// Reads every committed byte again and compares checksum and count of each commit with the journal. kData names the file, the commit and its bytes.
// A byte that flipped in the journal's last record shows as torn_journal_bytes. Changes nothing.
Result<CommitReport> check_commits(FileSystem& files, const std::string& directory, const std::string& shard);

}  // namespace segue::filelog
