// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/fetch_waker.h"

#include <gtest/gtest.h>

namespace segue::kafka {
namespace {

// That it wakes is shown on a broker: tests/kafka_lib/record_reader_test.cpp.
TEST(FetchWaker, EndsThoughNoBrokerAnswers) {
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, rd_kafka_conf_new(), nullptr, 0);
  {
    FetchWaker waker(client);
    for (int partition = 0; partition < 100; ++partition) waker.wake("events", partition);
  }
  rd_kafka_destroy(client);
}

}  // namespace
}  // namespace segue::kafka
