// SPDX-License-Identifier: Apache-2.0
#include "services/api/dead_letters.h"

#include <gmock/gmock.h>

#include "lib/codec/output_json.h"
#include "lib/filelog/memory_file_system.h"

namespace segue::api {
namespace {

std::string letter(uint64_t line, event::RejectReason reason, std::string_view raw) {
  std::string out;
  codec::append_dead_letter("0.ndjson", {.offset = line * 100, .line = line}, reason, raw, out);
  return out;
}

class DeadLetters : public testing::Test {
 protected:
  void write(const std::string& text) { ASSERT_TRUE((*files_.open_to_append("/dead"))->append(text)); }

  filelog::MemoryFileSystem files_;
};

TEST_F(DeadLetters, GivesTheLastOnesInTheirOrder) {
  for (uint64_t line = 1; line <= 5; ++line) write(letter(line, event::RejectReason::kInvalidJson, "x"));
  const auto newest = read_newest(files_, "/dead", 2, "");
  ASSERT_TRUE(newest);
  EXPECT_THAT(*newest, testing::ElementsAre(testing::HasSubstr("\"offset\":400"), testing::HasSubstr("\"offset\":500")));
}

TEST_F(DeadLetters, OfOneReasonOnlyWhereAsked) {
  write(letter(1, event::RejectReason::kInvalidTs, "\"reason\":\"invalid_json\""));
  write(letter(2, event::RejectReason::kInvalidJson, "x"));
  write(letter(3, event::RejectReason::kInvalidTs, "x"));
  const auto newest = read_newest(files_, "/dead", 10, "invalid_json");
  ASSERT_TRUE(newest);
  EXPECT_THAT(*newest, testing::ElementsAre(testing::HasSubstr("\"offset\":200")));
}

TEST_F(DeadLetters, AHalfWrittenLineIsNotOne) {
  write(letter(1, event::RejectReason::kInvalidJson, "x") + "{\"partition\":\"0");
  EXPECT_EQ(read_newest(files_, "/dead", 10, "")->size(), 1U);
}

TEST_F(DeadLetters, NoFileHasNone) { EXPECT_TRUE(read_newest(files_, "/none", 10, "")->empty()); }

TEST_F(DeadLetters, WhatIsShownIsCutBetweenCharacters) {
  std::string raw = "x";
  while (raw.size() < 2 * kShownRaw) raw += "装";
  std::string shown;
  ASSERT_TRUE(append_shown(letter(1, event::RejectReason::kInvalidTs, raw), shown));
  std::string cut = "x";
  while (cut.size() + 3 <= kShownRaw) cut += "装";
  EXPECT_EQ(shown, R"({"partition":"0.ndjson","offset":100,"line":2,"reason":"invalid_ts","bytes":)" + std::to_string(raw.size()) + R"(,"raw":")" +
                       cut + "\"}");
}

TEST_F(DeadLetters, WhatIsCutSaysHowLongItWas) {
  for (size_t size = 4094; size <= 4098; ++size) {
    std::string shown;
    ASSERT_TRUE(append_shown(letter(1, event::RejectReason::kInvalidUtf8, std::string(size, '\xff')), shown));
    EXPECT_EQ(shown.find("\"bytes\":" + std::to_string(size)) != std::string::npos, size > 4095) << size;
  }
}

TEST_F(DeadLetters, ARecordOfATopicKeepsItsPlaceAndLength) {
  std::string shown;
  const std::string line = R"({"topic":"events","partition":"3","offset":7,"reason":"invalid_ts","bytes":600000,"raw":"x"})";
  ASSERT_TRUE(append_shown(line, shown));
  EXPECT_EQ(shown, line);
}

TEST_F(DeadLetters, OtherLinesAreNotShown) {
  std::string shown;
  for (const char* line : {"", "1", "{}", "[1]", R"({"partition":"a","offset":-1,"reason":"x"})"}) EXPECT_FALSE(append_shown(line, shown)) << line;
  EXPECT_EQ(shown, "");
}

}  // namespace
}  // namespace segue::api
