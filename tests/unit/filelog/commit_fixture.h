// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "lib/base/hash.h"
#include "lib/filelog/commit_log.h"
#include "lib/filelog/memory_file_system.h"

namespace segue::filelog {

inline const std::string kDirectory = "out";
inline const std::string kShard = "shard-0";

struct CommitInput {
  std::string transitions;
  uint64_t transition_count = 0;
  std::string dead_letters;
  uint64_t dead_letter_count = 0;
};
// The outputs of commit number i, counted from 1; every kind of emptiness occurs.
inline CommitInput commit_input(uint64_t i) {
  CommitInput input;
  for (; input.transition_count < i % 3; ++input.transition_count) {
    input.transitions += "{\"commit\":" + std::to_string(i) + ",\"n\":" + std::to_string(input.transition_count) + "}\n";
  }
  for (; input.dead_letter_count < i % 2; ++input.dead_letter_count) input.dead_letters += "{\"dead\":" + std::to_string(i) + "}\n";
  return input;
}

inline codec::JournalRecord journal_record(uint64_t i) {
  codec::JournalRecord record;
  record.previous = {(i - 1) * 1000, (i - 1) * 10};
  record.next = {i * 1000, i * 10};
  record.high = time_from_ms(static_cast<int64_t>(1'700'000'000'000 + i));
  record.definitions = std::string(32, 'd');
  record.program = "0.1.0";
  return record;
}

inline codec::OutputMark mark(const std::string& bytes, uint64_t count, uint64_t length_before) {
  return {count, bytes.empty() ? 0 : hash64(bytes), length_before + bytes.size()};
}

// Completes the record, as the pipeline does.
inline Result<> make_commit(CommitLog& log, const CommitInput& input, codec::JournalRecord& record) {
  const codec::JournalRecord before = log.last().value_or(codec::JournalRecord{});
  record.sequence = before.sequence + 1;
  record.transitions = mark(input.transitions, input.transition_count, before.transitions.length);
  record.dead_letters = mark(input.dead_letters, input.dead_letter_count, before.dead_letters.length);
  pipeline::Commit commit;
  commit.outputs.transition_lines = input.transitions;
  commit.outputs.dead_letter_lines = input.dead_letters;
  commit.record = record;
  return log.submit(commit);
}
inline Result<> make_commit(CommitLog& log, uint64_t i) {
  codec::JournalRecord record = journal_record(i);
  return make_commit(log, commit_input(i), record);
}

// What the output files hold after the first `commits` commits.
inline CommitInput expected_outputs(uint64_t commits) {
  CommitInput all;
  for (uint64_t i = 1; i <= commits; ++i) {
    const CommitInput input = commit_input(i);
    all.transitions += input.transitions;
    all.dead_letters += input.dead_letters;
    all.transition_count += input.transition_count;
    all.dead_letter_count += input.dead_letter_count;
  }
  return all;
}

inline void expect_outputs(const MemoryFileSystem& files, uint64_t commits, const std::string& context = "") {
  const ShardPaths paths = shard_paths(kDirectory, kShard);
  const CommitInput expected = expected_outputs(commits);
  EXPECT_EQ(files.content(paths.transitions), expected.transitions) << context;
  EXPECT_EQ(files.content(paths.dead_letters), expected.dead_letters) << context;
}

// A closed directory with that many commits.
inline std::unique_ptr<MemoryFileSystem> files_with_commits(uint64_t commits) {
  auto files = std::make_unique<MemoryFileSystem>();
  auto log = CommitLog::open(*files, kDirectory, kShard);
  EXPECT_TRUE(log) << log.error().message;
  for (uint64_t i = 1; i <= commits; ++i) EXPECT_TRUE(make_commit(**log, i));
  return files;
}

// A copy with other bytes in one file.
inline std::unique_ptr<MemoryFileSystem> with_content(const MemoryFileSystem& files, const std::string& path, std::string_view bytes) {
  auto copy = files.crash_image(1);
  copy->put(path, bytes);
  return copy;
}

inline uint64_t last_sequence(const CommitLog& log) { return log.last() ? log.last()->sequence : 0; }

}  // namespace segue::filelog
