// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::kafka {
namespace {

using testing::HasSubstr;

TEST(Errors, ABrokerThatIsAwayIsTriedAgain) {
  for (const auto code : {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TIMED_OUT,
                          RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART})
    EXPECT_EQ(meaning_of(code).kind, ErrorClass::kRetry) << rd_kafka_err2str(code);
}

TEST(Errors, AFencedProducerStops) {
  for (const auto code : {RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH}) {
    EXPECT_TRUE(is_fenced(code));
    EXPECT_EQ(meaning_of(code).kind, ErrorClass::kStop);
  }
  EXPECT_FALSE(is_fenced(RD_KAFKA_RESP_ERR__TIMED_OUT));
}

TEST(Errors, SayWhatAnOperatorCanDo) {
  const Error error = error_from(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "writing to journal/3");
  EXPECT_EQ(error.kind, ErrorClass::kRetry);
  EXPECT_THAT(error.message, HasSubstr("writing to journal/3: "));
  EXPECT_THAT(error.message, HasSubstr("raise max.message.bytes"));
}

}  // namespace
}  // namespace segue::kafka
