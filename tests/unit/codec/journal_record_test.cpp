// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/journal_record.h"

#include <gtest/gtest.h>

#include <limits>

namespace segue::codec {
namespace {

JournalRecord full_record() {
  JournalRecord record;
  record.sequence = 42;
  record.previous = {1'000'000'007, 5'000'000};
  record.next = {std::numeric_limits<uint64_t>::max(), 5'000'001};
  record.high = time_from_ms(1700000000123);
  record.transitions = {3, 0xfedcba9876543210, 900};
  record.dead_letters = {1, 0x0123456789abcdef, 17};
  record.definitions = "0123456789abcdef0123456789abcdef";
  record.program = "segue 0.1.0";
  record.wall_clock = true;
  record.sweep = 77;
  record.definitions_text = "version: 1";
  record.erasure_key = "0123456789abcdef";
  return record;
}

JournalRecord cut_record() {
  JournalRecord record = full_record();
  record.timers = 300;
  return record;
}

TEST(JournalRecordTest, records_are_read_back_as_they_were_written) {
  for (const JournalRecord& record : {full_record(), cut_record(), JournalRecord{}}) {
    std::string bytes;
    encode(record, bytes);
    const auto decoded = decode_journal_record(bytes);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(*decoded, record);
  }
}

TEST(JournalRecordTest, the_bytes_are_those_of_the_documented_example) {
  JournalRecord record;
  record.sequence = 1, record.next = {300, 2}, record.high = time_from_ms(5), record.transitions = {1, 7, 128}, record.definitions = "d",
  record.program = "p";
  std::string bytes;
  encode(record, bytes);
  const unsigned char expected[] = {2, 1, 0,    0, 0xac, 2, 2, 5, 0, 0, 0, 0, 0, 0, 0, 1,   7, 0,   0, 0, 0, 0,
                                    0, 0, 0x80, 1, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'd', 1, 'p', 0, 0, 0, 0};
  EXPECT_EQ(bytes, std::string(reinterpret_cast<const char*>(expected), sizeof expected));
}

TEST(JournalRecordTest, every_cut_and_every_byte_too_many_is_refused) {
  for (const JournalRecord& record : {full_record(), cut_record()}) {
    std::string bytes;
    encode(record, bytes);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const auto decoded = decode_journal_record(std::string_view(bytes).substr(0, size));
      ASSERT_FALSE(decoded.has_value()) << size;
      EXPECT_EQ(decoded.error().kind, ErrorClass::kData);
    }
    EXPECT_FALSE(decode_journal_record(bytes + '\0').has_value());
  }
}

TEST(JournalRecordTest, only_a_cut_between_timers_needs_version_3) {
  std::string whole, cut;
  encode(full_record(), whole);
  encode(cut_record(), cut);
  EXPECT_EQ(whole[0], 2);
  EXPECT_EQ(cut[0], 3);
  cut.resize(cut.size() - 2);
  EXPECT_FALSE(decode_journal_record(cut + '\0').has_value()) << "none";
}

TEST(JournalRecordTest, a_later_version_is_refused_by_name) {
  std::string bytes;
  encode(full_record(), bytes);
  bytes[0] = 4;
  const auto decoded = decode_journal_record(bytes);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_NE(decoded.error().message.find("version 4"), std::string::npos);
}

}  // namespace
}  // namespace segue::codec
