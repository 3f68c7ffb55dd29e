// SPDX-License-Identifier: Apache-2.0
#include "services/engine/input_chunk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace segue::engine {
namespace {

using testing::ElementsAre;

constexpr int64_t kTs = 1'700'000'000'000;

std::string line(const std::string& id, int64_t ts, const std::string& space = "") {
  return "{\"event_id\":\"" + id + "\"," + space + "\"user_id\":\"u1\",\"type\":\"click\",\"ts\":" + std::to_string(ts) + ",\"item_id\":\"i1\"}";
}

class InputChunkTest : public testing::Test {
 protected:
  void add(uint64_t offset, std::string value, Time timestamp = kNoTime) {
    values_.push_back(std::make_unique<std::string>(std::move(value)));
    records_.push_back({.key = "key", .value = *values_.back(), .offset = offset, .timestamp = timestamp});
  }
  const pipeline::DecodedChunk& fill(uint64_t begin) {
    chunk_.fill(begin, records_, decoder_);
    // What was given may go: the chunk has its own copy.
    for (const auto& value : values_) std::fill(value->begin(), value->end(), '#');
    records_.clear();
    return chunk_.decoded();
  }

  std::vector<std::unique_ptr<std::string>> values_;
  std::vector<kafka::Record> records_;
  codec::EventDecoder decoder_;
  InputChunk chunk_;
};

TEST_F(InputChunkTest, RecordsKeepTheirOffsetsAndTheChunkCoversTheGaps) {
  add(7, line("a", kTs));
  add(9, line("b", kTs + 5));
  add(12, line("c", kTs + 1));
  const auto& decoded = fill(5);
  EXPECT_EQ(decoded.begin, (Position{5, 5}));
  EXPECT_EQ(decoded.end, (Position{13, 13}));
  ASSERT_EQ(decoded.records.size(), 3u);
  EXPECT_EQ(decoded.records[1].at, (Position{9, 9}));
  EXPECT_EQ(decoded.records[1].event.event_id, "b");
  EXPECT_EQ(decoded.records[2].high, time_from_ms(kTs + 5));
  EXPECT_EQ(decoded.high, time_from_ms(kTs + 5));
  EXPECT_THAT(decoded.shares[0], ElementsAre(0, 1, 2));
}

TEST_F(InputChunkTest, ABrokenRecordIsARejectWithItsBytesAndKey) {
  add(0, line("a", kTs));
  add(1, "{\"event_id\":\"odd");
  add(2, "");
  add(3, line("b", kTs));
  const auto& decoded = fill(0);
  EXPECT_EQ(decoded.records.size(), 2u);
  ASSERT_EQ(decoded.rejects.size(), 2u);
  EXPECT_EQ(decoded.rejects[0].at, (Position{1, 1}));
  EXPECT_EQ(decoded.rejects[0].raw, "{\"event_id\":\"odd");
  EXPECT_EQ(decoded.rejects[0].key, "key");
  EXPECT_EQ(decoded.rejects[1].raw, "");
}

TEST_F(InputChunkTest, ANewlineWithinARecordDoesNotEndIt) {
  add(0, line("a", kTs, "\n\n  "));
  add(1, line("b", kTs, "\n"));
  const auto& decoded = fill(0);
  ASSERT_EQ(decoded.records.size(), 2u);
  EXPECT_EQ(decoded.records[0].event.event_id, "a");
  EXPECT_EQ(decoded.records[1].event.event_id, "b");
}

TEST_F(InputChunkTest, AnEventFromTheFutureIsMeasuredAgainstTheRecordsTimestamp) {
  const Time appended = time_from_ms(kTs);
  add(0, line("a", kTs + 300'000), appended);
  add(1, line("b", kTs + 300'001), appended);
  const auto& decoded = fill(0);
  ASSERT_EQ(decoded.rejects.size(), 1u);
  EXPECT_EQ(decoded.rejects[0].reason, event::RejectReason::kFromTheFuture);
  EXPECT_EQ(decoded.high, time_from_ms(kTs + 300'000));
  EXPECT_EQ(chunk_.appended_at(), appended);
}

TEST_F(InputChunkTest, ManyBlocksOfLinesAreDecodedLikeOne) {
  for (uint64_t i = 0; i < 5'000; ++i) add(i, i % 1000 == 999 ? std::string("\"") : line("e" + std::to_string(i), kTs + static_cast<int64_t>(i)));
  const auto& decoded = fill(0);
  EXPECT_EQ(decoded.records.size(), 4'995u);
  EXPECT_EQ(decoded.rejects.size(), 5u);
  for (const auto& record : decoded.records) EXPECT_EQ(record.event.event_id, "e" + std::to_string(record.at.offset));
}

TEST_F(InputChunkTest, AChunkIsUsedAgain) {
  add(0, line("a", kTs));
  add(1, "x");
  fill(0);
  add(2, line("b", kTs + 1));
  const auto& decoded = fill(2);
  EXPECT_EQ(decoded.records.size(), 1u);
  EXPECT_TRUE(decoded.rejects.empty());
  EXPECT_EQ(decoded.begin, (Position{2, 2}));
}

TEST_F(InputChunkTest, AnEmptyChunkCoversWhatHasNoRecords) {
  add(0, line("a", kTs));
  fill(0);
  chunk_.fill_empty(42, 45);
  EXPECT_EQ(chunk_.decoded().begin, (Position{42, 42}));
  EXPECT_EQ(chunk_.decoded().end, (Position{45, 45}));
  EXPECT_EQ(chunk_.records(), 0u);
  EXPECT_EQ(chunk_.decoded().shares.size(), 1u);
}

}  // namespace
}  // namespace segue::engine
