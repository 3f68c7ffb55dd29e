// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/commit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/filelog/commit_check.h"
#include "lib/filelog/journal_file.h"
#include "lib/filelog/posix_file_system.h"
#include "tests/unit/filelog/commit_fixture.h"
#include "tests/unit/filelog/temporary_directory.h"

namespace segue::filelog {
namespace {

using testing::HasSubstr;

TEST(CommitLog, NewDirectoryHasNoCommits) {
  MemoryFileSystem files;
  const auto log = CommitLog::open(files, kDirectory, kShard).value();
  EXPECT_FALSE(log->last());
  EXPECT_FALSE(log->recovery().any());
  expect_outputs(files, 0);
}

TEST(CommitLog, CommitsAreThereAfterReopening) {
  const auto files = files_with_commits(7);
  const auto log = CommitLog::open(*files, kDirectory, kShard).value();
  EXPECT_EQ(last_sequence(*log), 7U);
  EXPECT_EQ(log->last()->next, journal_record(7).next);
  EXPECT_FALSE(log->recovery().any());
  expect_outputs(*files, 7);
  EXPECT_TRUE(make_commit(*log, 8));
  expect_outputs(*files, 8);
}

TEST(CommitLog, LastIsTheRecordOfTheLastCommit) {
  MemoryFileSystem files;
  const auto log = CommitLog::open(files, kDirectory, kShard).value();
  codec::JournalRecord record = journal_record(1);
  ASSERT_TRUE(make_commit(*log, {"a\nb\n", 2, "", 0}, record));
  ASSERT_TRUE(make_commit(*log, {"c\n", 1, "d\n", 1}, record));
  EXPECT_EQ(*log->last(), record);
  EXPECT_EQ(CommitLog::open(files, kDirectory, kShard).value()->last(), record);
}

TEST(CommitLog, RecordsSinceAnyCommitAreVisitedInOrder) {
  const auto files = files_with_commits(6);
  const auto log = CommitLog::open(*files, kDirectory, kShard).value();
  for (uint64_t since = 0; since <= 6; ++since) {
    uint64_t expected = since;
    ASSERT_TRUE(log->for_each_since(since, 0, [&](const codec::JournalRecord& record, uint64_t) -> Result<> {
      EXPECT_EQ(record.sequence, ++expected);
      EXPECT_EQ(record.next, journal_record(expected).next);
      return {};
    }));
    EXPECT_EQ(expected, 6U);
  }
  const auto stopped = log->for_each_since(0, 0, [](const codec::JournalRecord&, uint64_t) -> Result<> { return fail(ErrorClass::kStop, "enough"); });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "enough");
}

TEST(CommitLog, ShardsOfADirectoryDoNotMeet) {
  MemoryFileSystem files;
  const auto a = CommitLog::open(files, kDirectory, "shard-0").value();
  const auto b = CommitLog::open(files, kDirectory, "shard-1").value();
  ASSERT_TRUE(make_commit(*a, 1));
  ASSERT_TRUE(make_commit(*b, 1));
  ASSERT_TRUE(make_commit(*a, 2));
  EXPECT_EQ(last_sequence(*CommitLog::open(files, kDirectory, "shard-0").value()), 2U);
  EXPECT_EQ(last_sequence(*CommitLog::open(files, kDirectory, "shard-1").value()), 1U);
}

// Every operation of creation and of eight commits is a place to crash; what the disk then holds is drawn.
TEST(CommitLog, CrashAnywhereLeavesWholeCommitsAndAllAcknowledgedOnes) {
  constexpr uint64_t kCommits = 8;
  const uint64_t operations = files_with_commits(kCommits)->operations();
  for (uint64_t crash = 0; crash < operations; ++crash) {
    MemoryFileSystem files;
    files.crash_after(crash);
    uint64_t acknowledged = 0;
    if (const auto log = CommitLog::open(files, kDirectory, kShard))
      while (acknowledged < kCommits && make_commit(**log, acknowledged + 1)) ++acknowledged;
    for (uint64_t seed = 0; seed < 40; ++seed) {
      const std::string context = "crash after operation " + std::to_string(crash) + ", seed " + std::to_string(seed);
      const auto image = files.crash_image(seed);
      const auto log = CommitLog::open(*image, kDirectory, kShard);
      ASSERT_TRUE(log) << context << ": " << log.error().message;
      const uint64_t found = last_sequence(**log);
      EXPECT_GE(found, acknowledged) << context;
      EXPECT_LE(found, acknowledged + 1) << context;
      expect_outputs(*image, found, context);
      for (uint64_t i = found + 1; i <= kCommits; ++i) ASSERT_TRUE(make_commit(**log, i)) << context;
      expect_outputs(*image, kCommits, context);
      const auto report = check_commits(*image, kDirectory, kShard);
      ASSERT_TRUE(report) << context << ": " << report.error().message;
      EXPECT_TRUE(report->clean());
    }
  }
}

// The way back from a crash crashes too.
TEST(CommitLog, CrashWhileRecoveringLosesNothing) {
  MemoryFileSystem files;
  const auto first = CommitLog::open(files, kDirectory, kShard).value();
  for (uint64_t i = 1; i <= 4; ++i) ASSERT_TRUE(make_commit(*first, i));
  const uint64_t before = files.operations();
  ASSERT_TRUE(make_commit(*first, 5));
  const uint64_t commit_operations = files.operations() - before;
  for (uint64_t crash = 0; crash < commit_operations; ++crash) {
    const auto source = files_with_commits(4);
    const auto log = CommitLog::open(*source, kDirectory, kShard).value();
    source->crash_after(source->operations() + crash);
    EXPECT_FALSE(make_commit(*log, 5));
    for (uint64_t seed = 0; seed < 20; ++seed) {
      for (uint64_t second = 0;; ++second) {
        const auto image = source->crash_image(seed);
        image->crash_after(second);
        const bool opened = CommitLog::open(*image, kDirectory, kShard).has_value();
        const auto after = image->crash_image(seed * 31 + second);
        const auto reopened = CommitLog::open(*after, kDirectory, kShard);
        ASSERT_TRUE(reopened) << crash << " " << seed << " " << second << ": " << reopened.error().message;
        EXPECT_GE(last_sequence(**reopened), 4U);
        expect_outputs(*after, last_sequence(**reopened));
        if (opened) break;
      }
    }
  }
}

TEST(CommitLog, FailedOperationAnywhereIsMadeUpForByTheNextCall) {
  const uint64_t commit_operations = [] {
    const auto files = files_with_commits(4);
    const auto log = CommitLog::open(*files, kDirectory, kShard).value();
    const uint64_t before = files->operations();
    EXPECT_TRUE(make_commit(*log, 5));
    return files->operations() - before;
  }();
  ASSERT_EQ(commit_operations, 6U) << "three appends and three syncs";
  for (uint64_t failing = 1; failing <= commit_operations; ++failing) {
    const auto files = files_with_commits(4);
    const auto log = CommitLog::open(*files, kDirectory, kShard).value();
    files->fail_operation(files->operations() + failing);
    const auto committed = make_commit(*log, 5);
    ASSERT_FALSE(committed) << failing;
    EXPECT_EQ(committed.error().kind, ErrorClass::kRetry);
    EXPECT_EQ(last_sequence(*log), 4U);
    // The cut-back fails as well, once.
    files->fail_operation(files->operations() + 1);
    EXPECT_FALSE(make_commit(*log, 5)) << failing;
    ASSERT_TRUE(make_commit(*log, 5)) << failing;
    ASSERT_TRUE(make_commit(*log, 6)) << failing;
    expect_outputs(*files, 6);
    EXPECT_EQ(last_sequence(*CommitLog::open(*files, kDirectory, kShard).value()), 6U);
    EXPECT_TRUE(check_commits(*files, kDirectory, kShard)->clean());
  }
}

// A caller that comes back with other outputs (a smaller batch) after an error, and then crashes: the first attempt's record must not return.
TEST(CommitLog, AbandonedAttemptNeverComesBackWithTheNextOnesOutputs) {
  for (uint64_t failing = 1; failing <= 6; ++failing) {
    for (uint64_t crash = 0; crash < 12; ++crash) {
      const auto files = files_with_commits(4);
      const auto log = CommitLog::open(*files, kDirectory, kShard).value();
      files->fail_operation(files->operations() + failing);
      ASSERT_FALSE(make_commit(*log, 5));
      files->crash_after(files->operations() + crash);
      codec::JournalRecord record = journal_record(5);
      const bool committed = make_commit(*log, {"{}\n", 1, "", 0}, record).has_value();
      for (uint64_t seed = 0; seed < 60; ++seed) {
        const auto image = files->crash_image(seed);
        const auto reopened = CommitLog::open(*image, kDirectory, kShard);
        ASSERT_TRUE(reopened) << failing << " " << crash << " " << seed << ": " << reopened.error().message;
        EXPECT_GE(last_sequence(**reopened), committed ? 5U : 4U);
        const auto report = check_commits(*image, kDirectory, kShard);
        ASSERT_TRUE(report) << failing << " " << crash << " " << seed << ": " << report.error().message;
      }
    }
  }
}

TEST(CommitLog, FullDiskAtEveryByteIsARetryAndGoesOnWhenSpaceReturns) {
  const uint64_t base = files_with_commits(4)->total_bytes();
  const uint64_t full = files_with_commits(5)->total_bytes();
  for (uint64_t limit = base; limit < full; ++limit) {
    const auto files = files_with_commits(4);
    const auto log = CommitLog::open(*files, kDirectory, kShard).value();
    files->limit_bytes(limit);
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto committed = make_commit(*log, 5);
      ASSERT_FALSE(committed) << limit;
      EXPECT_EQ(committed.error().kind, ErrorClass::kRetry);
      EXPECT_THAT(committed.error().message, HasSubstr("out/"));
    }
    files->limit_bytes(std::nullopt);
    ASSERT_TRUE(make_commit(*log, 5)) << limit;
    expect_outputs(*files, 5);
    EXPECT_EQ(files->total_bytes(), full);
  }
}

TEST(CommitLog, TornJournalOfEveryLengthIsCutAndReported) {
  const auto files = files_with_commits(3);
  const std::string path = shard_paths(kDirectory, kShard).journal;
  const std::string whole = files->content(path).value();
  const size_t shorter = files_with_commits(2)->content(path)->size();
  for (size_t size = shorter; size < whole.size(); ++size) {
    const auto torn = with_content(*files, path, whole.substr(0, size));
    const auto log = CommitLog::open(*torn, kDirectory, kShard);
    ASSERT_TRUE(log) << size;
    EXPECT_EQ(last_sequence(**log), 2U);
    EXPECT_EQ((*log)->recovery().journal_bytes, size - shorter);
    EXPECT_EQ((*log)->recovery().dead_letters_bytes, commit_input(3).dead_letters.size());
    expect_outputs(*torn, 2);
    EXPECT_EQ(torn->content(path)->size(), shorter);
    ASSERT_TRUE(make_commit(**log, 3));
    expect_outputs(*torn, 3);
  }
}

TEST(CommitLog, DamageBeforeTheLastRecordIsAnErrorAndNothingIsCut) {
  const auto files = files_with_commits(4);
  const ShardPaths paths = shard_paths(kDirectory, kShard);
  std::string journal = files->content(paths.journal).value();
  journal[journal_header(kShard).size() + 30] ^= 1;
  const auto damaged = with_content(*files, paths.journal, journal);
  const auto log = CommitLog::open(*damaged, kDirectory, kShard);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().kind, ErrorClass::kData);
  EXPECT_THAT(log.error().message, HasSubstr("out/journal/shard-0.journal: damaged at offset 31"));
  EXPECT_EQ(damaged->content(paths.journal), journal);
  expect_outputs(*damaged, 4);
}

TEST(CommitLog, OutputShorterThanItsJournalSaysIsAnError) {
  const auto files = files_with_commits(5);
  const ShardPaths paths = shard_paths(kDirectory, kShard);
  for (const std::string& path : {paths.transitions, paths.dead_letters}) {
    std::string content = files->content(path).value();
    content.pop_back();
    const auto damaged = with_content(*files, path, content);
    const auto log = CommitLog::open(*damaged, kDirectory, kShard);
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().kind, ErrorClass::kData);
    EXPECT_THAT(log.error().message, HasSubstr(path));
  }
}

TEST(CommitLog, LongerOutputIsCutBack) {
  const auto files = files_with_commits(5);
  const std::string path = shard_paths(kDirectory, kShard).transitions;
  const auto longer = with_content(*files, path, files->content(path).value() + "{\"half");
  const auto log = CommitLog::open(*longer, kDirectory, kShard).value();
  EXPECT_EQ(log->recovery().transitions_bytes, 6U);
  expect_outputs(*longer, 5);
}

TEST(CommitLog, OutputsWithoutTheirJournalAreNotThrownAway) {
  const auto files = files_with_commits(5);
  const ShardPaths paths = shard_paths(kDirectory, kShard);
  for (const std::string& journal : {std::string(), std::string("SEGUE"), std::string(31, '\0')}) {
    const auto damaged = with_content(*files, paths.journal, journal);
    const auto log = CommitLog::open(*damaged, kDirectory, kShard);
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().kind, ErrorClass::kData);
    expect_outputs(*damaged, 5);
  }
  ASSERT_TRUE(files->remove(paths.journal));
  EXPECT_FALSE(CommitLog::open(*files, kDirectory, kShard));
  expect_outputs(*files, 5);
}

TEST(CommitLog, WithoutSyncsTheFilesAreTheSame) {
  MemoryFileSystem files;
  const auto log = CommitLog::open(files, kDirectory, kShard, {.sync = false}).value();
  for (uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(make_commit(*log, i));
  expect_outputs(files, 5);
  EXPECT_EQ(files.content(shard_paths(kDirectory, kShard).journal), files_with_commits(5)->content(shard_paths(kDirectory, kShard).journal));
}

TEST(CommitLog, RealDiskHoldsTheSameBytes) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  const std::string out = directory.path() + "/out";
  {
    const auto log = CommitLog::open(files, out, kShard).value();
    for (uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(make_commit(*log, i));
  }
  const auto expected = files_with_commits(5);
  EXPECT_EQ(read_file(files, shard_paths(out, kShard).journal).value(), expected->content(shard_paths(kDirectory, kShard).journal));
  EXPECT_EQ(read_file(files, shard_paths(out, kShard).transitions).value(), expected_outputs(5).transitions);
  EXPECT_EQ(last_sequence(*CommitLog::open(files, out, kShard).value()), 5U);
}

// A file system of one megabyte, where this process may mount one.
class SmallDisk {
 public:
  SmallDisk() { mounted_ = ::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, "size=1m") == 0; }
  ~SmallDisk() {
    if (mounted_) ::umount(directory_.path().c_str());
  }
  bool mounted() const { return mounted_; }
  const std::string& path() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
  bool mounted_ = false;
};

TEST(CommitLog, RealFullDiskIsARetryAndGoesOnWhenSpaceReturns) {
  const SmallDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here: " << std::strerror(errno);
  PosixFileSystem files;
  const std::string out = disk.path() + "/out";
  const auto log = CommitLog::open(files, out, kShard).value();
  ASSERT_TRUE(make_commit(*log, 1));
  auto filler = files.open_to_append(disk.path() + "/filler").value();
  ASSERT_TRUE(filler->append(std::string(700'000, 'x')));

  const std::string large = std::string(500'000, 'y') + "\n";
  codec::JournalRecord record = journal_record(2);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto committed = make_commit(*log, {large, 1, "", 0}, record);
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().kind, ErrorClass::kRetry);
    EXPECT_THAT(committed.error().message, HasSubstr("disk full: cannot write " + out + "/transitions/shard-0.ndjson"));
  }
  ASSERT_TRUE(filler->truncate(0));
  ASSERT_TRUE(make_commit(*log, {large, 1, "", 0}, record));
  EXPECT_EQ(read_file(files, shard_paths(out, kShard).transitions).value(), commit_input(1).transitions + large);
  EXPECT_TRUE(check_commits(files, out, kShard)->clean());
}

}  // namespace
}  // namespace segue::filelog
