// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/output_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::kafka {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<std::pair<std::string, std::string>> headers_of(const OutputRecord& record) {
  std::vector<std::pair<std::string, std::string>> all;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0; rd_kafka_header_get_all(record.headers.get(), i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    all.emplace_back(name, std::string(static_cast<const char*>(value), size));
  return all;
}

TEST(OutputRecords, WriteTimesAsRfc3339) {
  EXPECT_EQ(time_text(time_from_ms(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time_text(time_from_ms(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(time_text(time_from_ms(1'700'000'000'123)), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(time_text(kLatestTime), "9999-12-31T23:59:59.999Z");
}

TEST(OutputRecords, TakeEachTransitionOutOfTheLines) {
  pipeline::Outputs outputs;
  outputs.transition_lines = "{\"a\":1}\n{\"b\":2}\n";
  outputs.user_ids = "anna郭";
  outputs.transitions = {{8, 4, 1, time_from_ms(5), "entered"}, {16, 7, 12, time_from_ms(6), "move"}};
  const OutputRecords records("shop", 3, "events");
  EXPECT_EQ(records.transition(outputs, 0).value, "{\"a\":1}");
  const OutputRecord second = records.transition(outputs, 1);
  EXPECT_EQ(second.key, "郭");
  EXPECT_EQ(second.value, "{\"b\":2}");
  EXPECT_THAT(headers_of(second),
              ElementsAre(Pair("ce_specversion", "1.0"), Pair("ce_id", "郭#12"), Pair("ce_source", "/segue/shop/3"), Pair("ce_type", "segue.move"),
                          Pair("ce_subject", "郭"), Pair("ce_time", "1970-01-01T00:00:00.006Z"), Pair("content-type", "application/json")));
}

TEST(OutputRecords, KeepADeadLettersBytesAndKey) {
  pipeline::Outputs outputs;
  outputs.raw_records = std::string("x\0y", 3) + "long";
  outputs.raw_keys = "key";
  outputs.dead_letters = {{0, 3, 3, 41, event::RejectReason::kInvalidUtf8}, {0, 7, 3, 42, event::RejectReason::kInvalidJson}};
  const OutputRecords records("shop", 3, "events");
  const OutputRecord first = records.dead_letter(outputs, 0);
  EXPECT_EQ(first.key, "key");
  EXPECT_EQ(first.value, std::string_view("x\0y", 3));
  EXPECT_THAT(headers_of(first), ElementsAre(Pair("segue_reason", "invalid_utf8"), Pair("segue_topic", "events"), Pair("segue_partition", "3"),
                                             Pair("segue_offset", "41")));
  const OutputRecord second = records.dead_letter(outputs, 1);
  EXPECT_EQ(second.value, "long");
  EXPECT_FALSE(second.has_key);
}

TEST(OutputRecords, CutALongDeadLetterAndSaySo) {
  pipeline::Outputs outputs;
  outputs.raw_records = std::string(OutputRecords::kLongestDeadLetter + 1, 'x');
  outputs.dead_letters = {{0, outputs.raw_records.size(), 0, 1, event::RejectReason::kRecordTooLarge}};
  const OutputRecord cut = OutputRecords("shop", 0, "events").dead_letter(outputs, 0);
  EXPECT_EQ(cut.value.size(), OutputRecords::kLongestDeadLetter);
  EXPECT_THAT(headers_of(cut).back(), Pair("segue_cut", "524289"));
}

}  // namespace
}  // namespace segue::kafka
