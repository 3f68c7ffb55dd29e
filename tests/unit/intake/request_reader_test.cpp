// SPDX-License-Identifier: Apache-2.0
#include "lib/intake/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::intake {
namespace {

using event::EventType;
using event::RejectReason;

constexpr Time kReceived = time_from_ms(1'795'289'945'000);

uint64_t rejected(const IntakeBatch& batch, RejectReason reason) { return batch.rejected[static_cast<size_t>(reason)]; }

TEST(RequestReader, CanonicalLinesGetTheirReceivedTime) {
  RequestReader reader({});
  reader.read_events(
      "{\"event_id\":\"e-1\",\"type\":\"view\",\"user_id\":\"u\\u00e9\",\"ts\":1,\"received_at\":2,\"unknown\":3}\r\n\n"
      "{\"event_id\":\"e-2\",\"type\":\"cart\",\"user_id\":\"v\",\"ts\":1795289945000}",
      kReceived);
  const IntakeBatch& batch = reader.batch();
  ASSERT_EQ(batch.records.size(), 2U);
  EXPECT_EQ(batch.records[0].line, R"({"event_id":"e-1","type":"view","user_id":"ué","ts":1,"received_at":1795289945000})");
  EXPECT_EQ(batch.records[0].user_id, "ué");
  EXPECT_EQ(batch.records[1].user_id, "v");
  EXPECT_EQ(batch.accepted[event::index(EventType::kCart)], 1U);
}

TEST(RequestReader, RejectedLinesAreToldByNumber) {
  RequestReader reader({});
  reader.read_events(
      "{}\n{\"event_id\":\"e\",\"type\":\"delete\",\"user_id\":\"u\",\"ts\":1}\nnonsense\n"
      "{\"event_id\":\"e\",\"type\":\"view\",\"user_id\":\"u\",\"ts\":1795290245001,\"received_at\":1795290245001}\n"
      "{\"event_id\":\"e\",\"type\":\"view\",\"user_id\":\"u\",\"ts\":1795290245000,\"received_at\":1}\n",
      kReceived);
  const IntakeBatch& batch = reader.batch();
  EXPECT_EQ(batch.records.size(), 1U);
  ASSERT_EQ(batch.told.size(), 4U);
  EXPECT_EQ(batch.told[0].reason, RejectReason::kMissingEventId);
  EXPECT_EQ(batch.told[1].line, 2U);
  EXPECT_EQ(batch.told[1].reason, RejectReason::kUnknownType);
  EXPECT_EQ(batch.told[2].reason, RejectReason::kInvalidJson);
  EXPECT_EQ(batch.told[3].line, 4U);
  EXPECT_EQ(batch.told[3].reason, RejectReason::kFromTheFuture);
}

TEST(RequestReader, TheListOfRejectedLinesIsBounded) {
  RequestReader reader({});
  std::string body;
  for (int i = 0; i < 150; ++i) body += "{}\n";
  reader.read_events(body, kReceived);
  EXPECT_EQ(reader.batch().told.size(), 100U);
  EXPECT_EQ(rejected(reader.batch(), RejectReason::kMissingEventId), 150U);
}

TEST(RequestReader, ALineAboveTheLimitOfARecordIsRejected) {
  RequestReader reader({});
  reader.read_events("{\"event_id\":\"e\"" + std::string(event::kMaxRecordBytes, ' ') + "}", kReceived);
  EXPECT_EQ(rejected(reader.batch(), RejectReason::kRecordTooLarge), 1U);
}

TEST(RequestReader, ABatchIsForgottenByTheNext) {
  RequestReader reader({});
  ASSERT_TRUE(
      reader.read_calls(R"({"writeKey":"k","batch":[{"type":"page","userId":"u","messageId":"m"},{"type":"alias"}]})", std::nullopt, kReceived));
  ASSERT_EQ(reader.batch().records.size(), 1U);
  EXPECT_EQ(reader.batch().records[0].user_id, "u");
  EXPECT_EQ(reader.batch().records[0].line, R"({"event_id":"m","type":"view","user_id":"u","ts":1795289945000,"received_at":1795289945000})");
  EXPECT_EQ(reader.batch().calls.skipped[static_cast<size_t>(codec::SkipReason::kAlias)], 1U);
  EXPECT_EQ(reader.batch().write_key, "k");
  ASSERT_FALSE(reader.read_calls("x", std::nullopt, kReceived));
  EXPECT_TRUE(reader.batch().records.empty());
  EXPECT_EQ(reader.batch().accepted[event::index(EventType::kView)], 0U);
}

}  // namespace
}  // namespace segue::intake
