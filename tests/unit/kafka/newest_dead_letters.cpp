// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/newest_dead_letters.h"

#include <gmock/gmock.h>

#include "lib/kafka/topic_archive.h"

namespace segue::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

DeadLetterHeaders headers(std::string_view reason, std::string_view offset = "7", std::string_view cut = {}) {
  return {reason, "events", "3", offset, cut};
}

TEST(NewestDeadLetters, TellWhereTheRecordLay) {
  NewestDeadLetters letters;
  EXPECT_TRUE(letters.add(3, headers("invalid_ts", "4711"), R"({"ts":"女"})"));
  EXPECT_THAT(letters.newest(3, 10, ""),
              ElementsAre(R"({"topic":"events","partition":"3","offset":4711,"reason":"invalid_ts","raw":"{\"ts\":\"女\"}"})"));
  EXPECT_THAT(letters.newest(4, 10, ""), IsEmpty());
}

TEST(NewestDeadLetters, BytesThatAreNoTextAreBase64) {
  NewestDeadLetters letters;
  EXPECT_TRUE(letters.add(0, headers("invalid_utf8"), "\xff\xfe"));
  EXPECT_THAT(letters.newest(0, 10, ""), ElementsAre(HasSubstr(R"("raw_base64":"//4=")")));
}

TEST(NewestDeadLetters, SayHowLongACutRecordWas) {
  NewestDeadLetters letters;
  EXPECT_TRUE(letters.add(0, headers("record_too_large", "1", "600000"), "beginning"));
  std::string longer = "x";
  while (longer.size() <= NewestDeadLetters::kRaw) longer += "装";
  EXPECT_TRUE(letters.add(0, headers("invalid_ts", "2"), longer));
  const auto found = letters.newest(0, 10, "");
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0], HasSubstr(R"("bytes":600000,"raw":"beginning")"));
  EXPECT_THAT(found[1], HasSubstr("\"bytes\":" + std::to_string(longer.size()) + ",\"raw\":\"x装")) << "cut between characters";
}

TEST(NewestDeadLetters, TheLastOnesInTheirOrder) {
  NewestDeadLetters letters;
  for (const auto& [reason, offset] : {std::pair{"invalid_ts", "1"}, {"invalid_json", "2"}, {"invalid_ts", "3"}, {"invalid_json", "4"}})
    EXPECT_TRUE(letters.add(0, headers(reason, offset), "x"));
  EXPECT_THAT(letters.newest(0, 3, ""), ElementsAre(HasSubstr("\"offset\":2"), HasSubstr("\"offset\":3"), HasSubstr("\"offset\":4")));
  EXPECT_THAT(letters.newest(0, 9, "invalid_ts"), ElementsAre(HasSubstr("\"offset\":1"), HasSubstr("\"offset\":3")));
}

TEST(NewestDeadLetters, AFloodOfOneReasonLeavesTheOthers) {
  NewestDeadLetters letters;
  EXPECT_TRUE(letters.add(0, headers("from_the_future", "1"), "x"));
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(letters.add(0, headers("invalid_json", std::to_string(i)), std::string(10'000, 'x')));
  EXPECT_THAT(letters.newest(0, 1000, "invalid_json"), SizeIs(NewestDeadLetters::kMostOfReason));
  EXPECT_THAT(letters.newest(0, 1000, "from_the_future"), SizeIs(1));
}

TEST(NewestDeadLetters, ManyPartitionsShareTheMemory) {
  NewestDeadLetters letters;
  std::map<int32_t, uint64_t> places;
  for (int32_t partition = 0; partition < 1000; ++partition) places[partition] = 0;
  letters.open(places);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(letters.add(5, headers("invalid_json"), std::string(4096, 'x')));
  EXPECT_THAT(letters.newest(5, 1000, ""), SizeIs(NewestDeadLetters::kBytes / 1000 / (4096 + 160 + 6)));
}

TEST(NewestDeadLetters, PassOverRecordsOfOthers) {
  NewestDeadLetters letters;
  for (const DeadLetterHeaders& strange :
       {DeadLetterHeaders{}, headers("no_reason"), headers("invalid_ts", "-1"), headers("invalid_ts", "1x"), headers("invalid_ts", "1", "x"),
        DeadLetterHeaders{"invalid_ts", "a\"b", "3", "7", ""}, DeadLetterHeaders{"invalid_ts", "events", "99999999999", "7", ""}})
    EXPECT_FALSE(letters.add(0, strange, "x")) << strange.reason << strange.offset;
  EXPECT_THAT(letters.newest(0, 10, ""), IsEmpty());
}

TEST(NewestDeadLetters, BeginNearTheEnd) {
  const NewestDeadLetters letters;
  EXPECT_EQ(letters.begin({0, 10}), 0U);
  EXPECT_EQ(letters.begin({0, 5000}), 5000 - NewestDeadLetters::kLookBack);
}

TEST(AppendLine, ARecordThatIsNoLineIsNotTaken) {
  serving::FeedLines lines;
  for (const std::string_view value : {"", "a\nb", "a\r", "\n"}) {
    Record record;
    record.value = value;
    EXPECT_FALSE(append_line(record, lines)) << value;
  }
  EXPECT_TRUE(lines.text.empty() && lines.ends.empty());
  Record record;
  record.value = "{}";
  record.offset = 41;
  EXPECT_TRUE(append_line(record, lines));
  EXPECT_EQ(lines.text, "{}\n");
  EXPECT_THAT(lines.ends, ElementsAre(42U));
}

}  // namespace
}  // namespace segue::kafka
