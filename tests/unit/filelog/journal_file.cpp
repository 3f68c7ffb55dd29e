// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/journal_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/filelog/commit_fixture.h"

namespace segue::filelog {
namespace {

struct Read {
  Result<bool> header = false;
  std::vector<codec::JournalRecord> records;
  uint64_t torn_bytes = 0;
  std::optional<Error> error;
};

Read read_journal(std::string_view bytes, const std::string& shard = kShard) {
  MemoryFileSystem files;
  files.put("d/j", bytes);
  const auto file = files.open_to_read("d/j").value();
  JournalReader reader(*file, "d/j", shard);
  Read read;
  read.header = reader.read_header();
  if (!read.header || !*read.header) return read;
  for (;;) {
    auto record = reader.next();
    if (!record) {
      read.error = record.error();
      return read;
    }
    if (!*record) break;
    read.records.push_back(std::move(**record));
  }
  read.torn_bytes = reader.torn_bytes();
  EXPECT_EQ(reader.valid_bytes() + reader.torn_bytes(), bytes.size());
  return read;
}

// Header and frames, apart.
std::vector<std::string> journal_parts(uint64_t commits, const std::string& program = "0.1.0") {
  std::vector<std::string> parts{journal_header(kShard)};
  uint64_t checksum = journal_header_checksum(kShard);
  for (uint64_t i = 1; i <= commits; ++i) {
    codec::JournalRecord record = journal_record(i);
    record.erasure_key = "ends without zeros";
    record.sequence = i;
    record.program = program;
    std::string payload;
    codec::encode(record, payload);
    checksum = append_journal_frame(parts.emplace_back(), payload, checksum);
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

TEST(JournalFile, RecordsAreReadBackInOrder) {
  const Read read = read_journal(join(journal_parts(3)));
  ASSERT_EQ(read.records.size(), 3U);
  for (uint64_t i = 1; i <= 3; ++i) {
    codec::JournalRecord expected = journal_record(i);
    expected.erasure_key = "ends without zeros";
    expected.sequence = i;
    EXPECT_EQ(read.records[i - 1], expected);
  }
  EXPECT_EQ(read.torn_bytes, 0U);
}

// docs/formats/journal-file.md: a change of these bytes needs a new version.
TEST(JournalFile, BytesAreAsDocumented) {
  EXPECT_EQ(journal_header("shard-0").substr(0, 23), std::string_view("SEGUEJNL\x01\x00\x00\x00\x07\x00\x00\x00shard-0", 23));
  EXPECT_EQ(journal_header_checksum("shard-0"), 7035852287591964755U);
  std::string frame;
  EXPECT_EQ(append_journal_frame(frame, "payload", 5), 6770700130604734407U);
  EXPECT_EQ(frame.substr(8), std::string_view("\x05\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00payload", 19));
}

TEST(JournalFile, RecordTornAtAnyByteIsCutOffAndTheOthersKept) {
  const std::vector<std::string> parts = journal_parts(3);
  const std::string whole = join(parts);
  size_t records = 0;
  size_t end = parts[0].size();
  for (size_t size = end; size <= whole.size(); ++size) {
    if (records < 3 && size == end + parts[records + 1].size()) end = size, ++records;
    const Read read = read_journal(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(read.error) << size;
    EXPECT_EQ(read.records.size(), records) << size;
    EXPECT_EQ(read.torn_bytes, size - end) << size;
  }
}

TEST(JournalFile, TornRecordMayBeFollowedByZerosOrGarbage) {
  const std::vector<std::string> parts = journal_parts(3);
  const std::string kept = parts[0] + parts[1] + parts[2];
  for (size_t size = 0; size < parts[3].size(); ++size) {
    for (const char filler : {'\0', '\x7f', '\xff'}) {
      const Read read = read_journal(kept + parts[3].substr(0, size) + std::string(parts[3].size() - size, filler));
      ASSERT_FALSE(read.error) << size;
      EXPECT_EQ(read.records.size(), 2U) << size;
    }
  }
}

TEST(JournalFile, UnfinishedHeaderIsAnUnfinishedCreation) {
  const std::string header = journal_header(kShard);
  for (size_t size = 0; size < header.size(); ++size) {
    for (const std::string& bytes : {header.substr(0, size), header.substr(0, size) + std::string(header.size() - size, '\0')}) {
      const Read read = read_journal(bytes);
      ASSERT_TRUE(read.header) << size;
      EXPECT_FALSE(*read.header && bytes != header) << size;
    }
  }
}

TEST(JournalFile, FlippedBitAnywhereIsNoticed) {
  const std::vector<std::string> parts = journal_parts(4);
  const std::string whole = join(parts);
  const size_t last = whole.size() - parts[4].size();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const Read read = read_journal(flipped);
      if (at < parts[0].size()) {
        ASSERT_FALSE(read.header) << at;
        EXPECT_EQ(read.header.error().kind, ErrorClass::kData);
      } else if (at < last) {
        ASSERT_TRUE(read.error) << at;
        EXPECT_EQ(read.error->kind, ErrorClass::kData);
        EXPECT_THAT(read.error->message, testing::StartsWith("d/j: damaged at offset "));
      } else {
        EXPECT_FALSE(read.error) << "cannot be told from a torn record";
        EXPECT_EQ(read.records.size(), 3U);
        EXPECT_EQ(read.torn_bytes, parts[4].size());
      }
    }
  }
}

TEST(JournalFile, RemovedRepeatedOrSwappedRecordIsNoticed) {
  const std::vector<std::string> parts = journal_parts(4);
  const auto& p = parts;
  EXPECT_TRUE(read_journal(p[0] + p[2] + p[3] + p[4]).error);
  EXPECT_TRUE(read_journal(p[0] + p[1] + p[3] + p[4]).error);
  EXPECT_TRUE(read_journal(p[0] + p[1] + p[2] + p[2] + p[3]).error);
  EXPECT_TRUE(read_journal(p[0] + p[2] + p[1] + p[3]).error);
  EXPECT_TRUE(read_journal(p[0] + p[1] + p[2] + p[4]).error) << "the last one too";
  EXPECT_FALSE(read_journal(p[0] + p[1]).error);
}

TEST(JournalFile, RecordOfAnotherHistoryIsNoticedThoughItsNumberFits) {
  const std::vector<std::string> parts = journal_parts(3);
  const std::vector<std::string> others = journal_parts(3, "0.2.0");
  const Read read = read_journal(parts[0] + parts[1] + parts[2] + others[3]);
  ASSERT_TRUE(read.error);
  EXPECT_THAT(read.error->message, testing::HasSubstr("missing, repeated or out of order"));
}

TEST(JournalFile, JournalOfAnotherShardIsRefused) {
  const Read read = read_journal(join(journal_parts(2)), "shard-1");
  ASSERT_FALSE(read.header);
  EXPECT_THAT(read.header.error().message, testing::HasSubstr("another shard, shard-0"));
}

TEST(JournalFile, HundredThousandRecordsAreReadInBoundedMemory) {
  const std::vector<std::string> parts = journal_parts(100'000);
  const Read read = read_journal(join(parts));
  EXPECT_FALSE(read.error);
  EXPECT_EQ(read.records.size(), 100'000U);
}

TEST(JournalFile, OutputLengthsMustFollowFromTheCommitBefore) {
  codec::JournalRecord record = journal_record(1);
  record.sequence = 1;
  record.transitions.length = 10;  // but count 0
  std::string bytes = journal_header(kShard);
  std::string payload;
  codec::encode(record, payload);
  append_journal_frame(bytes, payload, journal_header_checksum(kShard));
  EXPECT_TRUE(read_journal(bytes).error);
}

}  // namespace
}  // namespace segue::filelog
