// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/log_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "lib/base/hash.h"
#include "lib/filelog/memory_file_system.h"
#include "lib/filelog/posix_file_system.h"
#include "tests/unit/filelog/temporary_directory.h"

namespace segue::filelog {
namespace {

using intake::Admission;
using intake::SinkRecord;
using testing::HasSubstr;

const std::string kLog = "dir/log";

std::unique_ptr<LogWriter> open(FileSystem& files, uint32_t partitions = 2) {
  auto writer = LogWriter::open(files, {.directory = kLog, .partitions = partitions});
  return writer ? std::move(*writer) : nullptr;
}
// Submits and waits for the completion.
Result<> write(LogWriter& writer, std::span<const SinkRecord> records) {
  std::promise<Result<>> promise;
  EXPECT_EQ(writer.submit(records, [&](const Result<>& result) { promise.set_value(result); }), Admission::kTaken);
  return promise.get_future().get();
}
Result<> write(LogWriter& writer, std::string_view user, std::string_view line) {
  const SinkRecord record{user, line};
  return write(writer, std::span(&record, 1));
}
std::string content(const MemoryFileSystem& files, uint32_t partition) {
  return files.content(kLog + "/" + std::to_string(partition) + ".ndjson").value_or("missing");
}
// A user of each of two files.
std::string user_of(uint32_t partition) {
  for (int i = 0;; ++i)
    if (std::string user = "u-" + std::to_string(i); log_partition(user, 2) == static_cast<int32_t>(partition)) return user;
}

TEST(LogWriter, AUsersLinesAreInTheirFileInOrder) {
  MemoryFileSystem files;
  const auto writer = open(files);
  const std::string zero = user_of(0), one = user_of(1);
  const SinkRecord records[] = {{zero, "a"}, {one, "b"}, {zero, "c"}};
  ASSERT_TRUE(write(*writer, records));
  ASSERT_TRUE(write(*writer, zero, "d"));
  EXPECT_EQ(content(files, 0), "a\nc\nd\n");
  EXPECT_EQ(content(files, 1), "b\n");
  EXPECT_EQ(writer->durable_bytes(0), 6U);
  EXPECT_EQ(writer->durable_bytes(1), 2U);
  EXPECT_EQ(writer->totals().bytes, 8U);
  EXPECT_EQ(writer->totals().syncs, 2U);
}

TEST(LogWriter, TheDurableLengthIsTold) {
  MemoryFileSystem files;
  std::vector<uint32_t> told;
  LogWriter* self = nullptr;
  uint64_t length = 0;
  auto writer = LogWriter::open(files, {.directory = kLog, .partitions = 2, .on_durable = [&](uint32_t partition) {
                                          told.push_back(partition);
                                          length = self->durable_bytes(partition);
                                        }});
  ASSERT_TRUE(writer);
  self = writer->get();
  ASSERT_TRUE(write(**writer, user_of(1), "line"));
  (*writer)->stop();
  EXPECT_THAT(told, testing::ElementsAre(1));
  EXPECT_EQ(length, 5U);
}

TEST(LogWriter, ATornLineIsCutWhenTheLogIsOpened) {
  MemoryFileSystem files;
  files.put(kLog + "/0.ndjson", "whole\ntorn");
  files.put(kLog + "/1.ndjson", "torn");
  const auto writer = open(files, 0);
  ASSERT_NE(writer, nullptr);
  EXPECT_EQ(writer->partitions(), 2U);
  EXPECT_EQ(writer->durable_bytes(0), 6U);
  EXPECT_EQ(writer->durable_bytes(1), 0U);
  EXPECT_EQ(content(files, 0), "whole\n");
  EXPECT_EQ(content(files, 1), "");
}

TEST(LogWriter, ATornLineMayBeLongerThanABuffer) {
  MemoryFileSystem files;
  std::string whole(100'000, 'w');
  whole.push_back('\n');
  files.put(kLog + "/0.ndjson", whole + std::string(300'000, 't'));
  const auto writer = open(files, 1);
  ASSERT_NE(writer, nullptr);
  EXPECT_EQ(writer->durable_bytes(0), whole.size());
  EXPECT_EQ(content(files, 0), whole);
}

TEST(LogWriter, TheNumberOfFilesStays) {
  MemoryFileSystem files;
  open(files, 3).reset();
  EXPECT_EQ(open(files, 0)->partitions(), 3U);
  const auto other = LogWriter::open(files, {.directory = kLog, .partitions = 2});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorClass::kUsage);
}

TEST(LogWriter, ALogWhoseMakingWasInterruptedIsMadeAnew) {
  MemoryFileSystem files;
  files.put(kLog + "/3.ndjson", "");
  files.put(kLog + "/2.ndjson", "");
  EXPECT_EQ(open(files, 2)->partitions(), 2U);
  EXPECT_EQ(open(files, 0)->partitions(), 2U);
}

TEST(LogWriter, ALogWithoutItsFirstFileIsDamaged) {
  MemoryFileSystem files;
  files.put(kLog + "/1.ndjson", "line\n");
  const auto writer = LogWriter::open(files, {.directory = kLog, .partitions = 2});
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().kind, ErrorClass::kData);
  EXPECT_THAT(writer.error().message, HasSubstr("0.ndjson"));
}

TEST(LogWriter, AFullDiskIsToldAndPasses) {
  MemoryFileSystem files;
  const auto writer = open(files);
  const std::string zero = user_of(0), one = user_of(1);
  ASSERT_TRUE(write(*writer, zero, "first"));
  files.limit_bytes(files.total_bytes() + 5);
  const SinkRecord both[] = {{zero, "does not fit"}, {one, "1"}};
  const auto full = write(*writer, both);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, ErrorClass::kRetry);
  EXPECT_EQ(content(files, 0), "first\n");
  EXPECT_THAT(writer->trouble(), HasSubstr("no space"));
  // Another file is not concerned.
  EXPECT_TRUE(write(*writer, one, "2"));
  files.limit_bytes({});
  EXPECT_TRUE(write(*writer, both));
  EXPECT_EQ(content(files, 0), "first\ndoes not fit\n");
  EXPECT_EQ(content(files, 1), "1\n2\n1\n");
  EXPECT_EQ(writer->totals().errors, 1U);
  EXPECT_EQ(writer->trouble(), "");
}

// Whichever operation fails once, the file holds whole lines, those that were acknowledged all, and the writer goes on.
TEST(LogWriter, AnyOperationMayFailOnce) {
  for (uint64_t number = 1; number <= 12; ++number) {
    MemoryFileSystem files;
    const auto writer = open(files, 1);
    files.fail_operation(files.operations() + number);
    std::string wanted;
    int failed = 0;
    for (const char* line : {"aaaa", "bbbb", "cccc", "dddd"}) {
      if (write(*writer, "u", line)) {
        wanted.append(line).push_back('\n');
      } else {
        ++failed;
      }
    }
    EXPECT_EQ(failed, number <= 8 ? 1 : 0) << number;
    EXPECT_EQ(content(files, 0), wanted) << number;
    EXPECT_EQ(writer->durable_bytes(0), wanted.size()) << number;
  }
}

// The same with a request that touches two files, in any order of their syncs: it fails as a whole, each file holds what is durable of it.
TEST(LogWriter, AnyOperationOnOneOfTwoFilesMayFailOnce) {
  const std::string zero = user_of(0), one = user_of(1);
  for (uint64_t number = 1; number <= 16; ++number) {
    MemoryFileSystem files;
    const auto writer = open(files, 2);
    files.fail_operation(files.operations() + number);
    int failed = 0;
    for (const std::string line : {"aaaa", "bbbb", "cccc"}) {
      const SinkRecord both[] = {{zero, line}, {one, line}};
      const auto before = writer->durable_bytes(0) + writer->durable_bytes(1);
      const auto result = write(*writer, both);
      const auto grown = writer->durable_bytes(0) + writer->durable_bytes(1) - before;
      EXPECT_EQ(grown, result ? 10U : 5U) << number;
      failed += !result;
    }
    // Four operations a request.
    EXPECT_EQ(failed, number <= 12 ? 1 : 0) << number;
    EXPECT_EQ(writer->totals().errors, number <= 12 ? 1U : 0U) << number;
    for (const uint32_t partition : {0U, 1U}) {
      const std::string found = content(files, partition);
      EXPECT_EQ(found.size(), writer->durable_bytes(partition)) << number;
      EXPECT_TRUE(found == "aaaa\nbbbb\ncccc\n" || found == "bbbb\ncccc\n" || found == "aaaa\ncccc\n" || found == "aaaa\nbbbb\n") << found;
    }
  }
}

TEST(LogWriter, ACutThatFailsIsDoneBeforeTheNextWrite) {
  MemoryFileSystem files;
  const auto writer = open(files, 1);
  ASSERT_TRUE(write(*writer, "u", "aaaa"));
  files.limit_bytes(files.total_bytes() + 2);    // two bytes of the line get there
  files.fail_operation(files.operations() + 2);  // the cut
  EXPECT_FALSE(write(*writer, "u", "bbbb"));
  EXPECT_EQ(content(files, 0), "aaaa\nbb");
  files.limit_bytes({});
  EXPECT_TRUE(write(*writer, "u", "cccc"));
  EXPECT_EQ(content(files, 0), "aaaa\ncccc\n");
}

// The machine stops after any operation: what was acknowledged is in the log that the next start finds.
TEST(LogWriter, AcknowledgedLinesSurviveACrashAnywhere) {
  uint64_t checked = 0;
  for (uint64_t operation = 1; operation <= 40; ++operation) {
    MemoryFileSystem files;
    files.crash_after(operation);
    std::vector<std::string> acknowledged[2];
    if (const auto writer = open(files)) {
      for (int i = 0; i < 10; ++i) {
        const uint32_t partition = static_cast<uint32_t>(i) % 2;
        const std::string line = "line " + std::to_string(i);
        if (write(*writer, user_of(partition), line)) acknowledged[partition].push_back(line);
      }
    }
    for (uint64_t seed = 0; seed < 6; ++seed) {
      const auto image = files.crash_image(seed);
      const auto writer = open(*image);
      ASSERT_NE(writer, nullptr) << operation << " " << seed;
      for (uint32_t partition = 0; partition < 2; ++partition) {
        std::string wanted;
        for (const std::string& line : acknowledged[partition]) wanted += line + "\n";
        const std::string found = content(*image, partition);
        EXPECT_EQ(found.substr(0, wanted.size()), wanted) << operation << " " << seed;
        EXPECT_TRUE(found.empty() || found.back() == '\n');
        EXPECT_EQ(writer->durable_bytes(partition), found.size());
        checked += acknowledged[partition].size();
      }
    }
  }
  EXPECT_GT(checked, 500U);
}

TEST(LogWriter, RequestsThatComeDuringASyncShareTheNext) {
  MemoryFileSystem files;
  const auto writer = open(files, 1);
  std::promise<void> reached, go;
  const SinkRecord record{"u", "x"};
  // The completion holds the writer's thread.
  ASSERT_EQ(writer->submit(std::span(&record, 1), [&](const Result<>&) { reached.set_value(), go.get_future().wait(); }), Admission::kTaken);
  reached.get_future().wait();
  std::atomic<int> completed{0};
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(writer->submit(std::span(&record, 1), [&](const Result<>& result) { completed += result.has_value(); }), Admission::kTaken);
  }
  go.set_value();
  writer->stop();
  EXPECT_EQ(completed, 50);
  EXPECT_EQ(writer->totals().syncs, 2U);
}

TEST(LogWriter, TheQueueIsBounded) {
  MemoryFileSystem files;
  auto opened = LogWriter::open(files, {.directory = kLog, .partitions = 1, .queue_bytes = 100});
  ASSERT_TRUE(opened);
  LogWriter& writer = **opened;
  std::promise<void> reached, go;
  const std::string line(49, 'x');
  const SinkRecord record{"u", line};
  const auto ignore = [](const Result<>&) {};
  ASSERT_EQ(writer.submit(std::span(&record, 1), [&](const Result<>&) { reached.set_value(), go.get_future().wait(); }), Admission::kTaken);
  reached.get_future().wait();
  EXPECT_EQ(writer.submit(std::span(&record, 1), ignore), Admission::kTaken);
  EXPECT_EQ(writer.submit(std::span(&record, 1), ignore), Admission::kFull);
  EXPECT_EQ(writer.totals().waiting_bytes, 100U);
  go.set_value();
  // A large request comes in when nothing waits.
  const std::string large(1000, 'y');
  const SinkRecord big{"u", large};
  Admission admission = Admission::kFull;
  while (admission == Admission::kFull) admission = writer.submit(std::span(&big, 1), ignore), std::this_thread::yield();
  EXPECT_EQ(admission, Admission::kTaken);
  writer.stop();
  EXPECT_EQ(content(files, 0).size(), 50U + 50U + 1001U);
  EXPECT_EQ(writer.submit(std::span(&record, 1), ignore), Admission::kStopped);
}

TEST(LogWriter, WorksOnARealDisk) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  const std::string path = directory.path() + "/log";
  for (const uint32_t partitions : {2U, 0U}) {
    auto writer = LogWriter::open(files, {.directory = path, .partitions = partitions});
    ASSERT_TRUE(writer) << writer.error().message;
    EXPECT_TRUE(write(**writer, user_of(0), "a"));
    EXPECT_EQ((*writer)->paths(), (std::vector<std::string>{path + "/0.ndjson", path + "/1.ndjson"}));
  }
  EXPECT_EQ(read_file(files, path + "/0.ndjson").value(), "a\na\n");
}

}  // namespace
}  // namespace segue::filelog
