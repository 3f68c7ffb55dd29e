// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/commit_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/filelog/commit_fixture.h"

namespace segue::filelog {
namespace {

TEST(CommitCheck, UntouchedDirectoryIsClean) {
  const auto files = files_with_commits(6);
  const CommitReport report = check_commits(*files, kDirectory, kShard).value();
  EXPECT_EQ(report.commits, 6U);
  EXPECT_EQ(report.transitions, expected_outputs(6).transition_count);
  EXPECT_EQ(report.dead_letters, expected_outputs(6).dead_letter_count);
  EXPECT_TRUE(report.clean());
}

TEST(CommitCheck, FlippedByteInAnyOutputNamesFileAndCommit) {
  const auto files = files_with_commits(6);
  const ShardPaths paths = shard_paths(kDirectory, kShard);
  for (const std::string& path : {paths.transitions, paths.dead_letters}) {
    const std::string whole = files->content(path).value();
    for (size_t at = 0; at < whole.size(); ++at) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 4);
      const auto report = check_commits(*with_content(*files, path, flipped), kDirectory, kShard);
      ASSERT_FALSE(report) << at;
      EXPECT_EQ(report.error().kind, ErrorClass::kData);
      uint64_t commit = 1;
      const auto length = [&](const CommitInput& all) { return path == paths.transitions ? all.transitions.size() : all.dead_letters.size(); };
      while (length(expected_outputs(commit)) <= at) ++commit;
      EXPECT_THAT(report.error().message, testing::StartsWith(path + ": commit " + std::to_string(commit) + " "));
    }
  }
}

TEST(CommitCheck, CountThatIsNotTheNumberOfLinesIsAnError) {
  const auto files = files_with_commits(2);
  codec::JournalRecord record = journal_record(3);
  ASSERT_TRUE(make_commit(*CommitLog::open(*files, kDirectory, kShard).value(), {"a\nb\n", 1, "", 0}, record));
  const auto report = check_commits(*files, kDirectory, kShard);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, testing::HasSubstr("2 lines, but the journal states 1"));
}

TEST(CommitCheck, FlippedByteInTheJournalIsAnErrorOrNotClean) {
  const auto files = files_with_commits(4);
  const std::string path = shard_paths(kDirectory, kShard).journal;
  const std::string whole = files->content(path).value();
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    const auto report = check_commits(*with_content(*files, path, flipped), kDirectory, kShard);
    EXPECT_TRUE(!report || report->torn_journal_bytes > 0) << at;
  }
}

TEST(CommitCheck, MissingBytesAreDamageAndFurtherOnesAreNotClean) {
  const auto files = files_with_commits(5);
  const std::string path = shard_paths(kDirectory, kShard).transitions;
  const std::string whole = files->content(path).value();
  EXPECT_FALSE(check_commits(*with_content(*files, path, whole.substr(0, whole.size() - 1)), kDirectory, kShard));
  const auto longer = check_commits(*with_content(*files, path, whole + "{}\n"), kDirectory, kShard);
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->uncommitted_transition_bytes, 3U);
  EXPECT_FALSE(longer->clean());
}

TEST(CommitCheck, DurableLengthsLeaveOutWhatIsUnderWay) {
  auto files = files_with_commits(5);
  EXPECT_EQ(durable_lengths(*files, kDirectory, kShard)->sequence, 5U);
  const auto log = CommitLog::open(*files, kDirectory, kShard).value();
  ASSERT_TRUE(make_commit(*log, 6));
  files->fail_operation(files->operations() + 5);  // the journal's append: outputs are there, the record is half written
  ASSERT_FALSE(make_commit(*log, 7));
  const DurableLengths lengths = durable_lengths(*files, kDirectory, kShard).value();
  EXPECT_EQ(lengths.sequence, 6U);
  EXPECT_EQ(lengths.transitions, expected_outputs(6).transitions.size());
  EXPECT_EQ(lengths.dead_letters, expected_outputs(6).dead_letters.size());
  EXPECT_GT(files->content(shard_paths(kDirectory, kShard).dead_letters)->size(), lengths.dead_letters);
  EXPECT_FALSE(check_commits(*files, kDirectory, kShard)->clean());
}

TEST(CommitCheck, DirectoryWithoutAJournalIsAUsageError) {
  MemoryFileSystem files;
  const auto lengths = durable_lengths(files, kDirectory, kShard);
  ASSERT_FALSE(lengths);
  EXPECT_EQ(lengths.error().kind, ErrorClass::kUsage);
}

}  // namespace
}  // namespace segue::filelog
