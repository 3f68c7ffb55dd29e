// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "lib/base/assert.h"
#include "lib/filelog/commit_check.h"
#include "lib/filelog/commit_log.h"
#include "lib/filelog/journal_file.h"
#include "lib/filelog/memory_file_system.h"

namespace {

using namespace segue;
using namespace segue::filelog;

// An even first byte: the rest is the file. An odd one: the rest becomes the payloads of valid frames, of as many bytes as the byte says, so that
// the record decoder and the checks behind the checksums are reached; the last frame is cut off in its middle.
std::string journal_of(std::string_view input) {
  if (input.empty()) return {};
  const auto choice = static_cast<uint8_t>(input.front());
  input.remove_prefix(1);
  if (choice % 2 == 0) return std::string(input);
  std::string journal = journal_header("shard-0");
  uint64_t checksum = journal_header_checksum("shard-0");
  while (!input.empty()) {
    const std::string_view payload = input.substr(0, choice);
    checksum = append_journal_frame(journal, payload, checksum);
    input.remove_prefix(payload.size());
  }
  if (choice % 4 == 3) journal.resize(journal.size() - std::min<size_t>(choice, journal.size()));
  return journal;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string journal = journal_of({reinterpret_cast<const char*>(data), size});
  MemoryFileSystem files;
  const ShardPaths paths = shard_paths("d", "shard-0");
  files.put(paths.journal, journal);
  files.put(paths.transitions, "{}\n");
  files.put(paths.dead_letters, "");
  const auto before = durable_lengths(files, "d", "shard-0");
  const auto report = check_commits(files, "d", "shard-0");
  SEGUE_ASSERT(!report || report->commits == 0 || before);
  const auto log = CommitLog::open(files, "d", "shard-0");
  if (!log) {
    SEGUE_ASSERT(files.content(paths.transitions) == "{}\n");
    return 0;
  }
  // What was opened goes on, and is found again.
  const codec::JournalRecord last = (*log)->last().value_or(codec::JournalRecord{});
  SEGUE_ASSERT(before && before->sequence == last.sequence);
  pipeline::Commit commit;
  commit.outputs.transition_lines = "{}\n";
  commit.outputs.transitions.push_back({.line_end = 3});
  commit.record.sequence = last.sequence + 1;
  commit.record.transitions = {.count = 1, .length = last.transitions.length + 3};
  commit.record.dead_letters.length = last.dead_letters.length;
  SEGUE_ASSERT((*log)->submit(commit));
  const auto after = durable_lengths(files, "d", "shard-0");
  SEGUE_ASSERT(after && after->sequence == last.sequence + 1);
  return 0;
}
