// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/record_reader.h"

#include <gtest/gtest.h>

#include "lib/kafka/record_reader_impl.h"

namespace segue::kafka {
namespace {

TEST(NextOffset, AdmitsEachRecordOnceAndLeavesGaps) {
  NextOffset next{5};
  EXPECT_FALSE(next.admit(4));
  EXPECT_TRUE(next.admit(5));
  EXPECT_FALSE(next.admit(5)) << "repeated";
  EXPECT_TRUE(next.admit(9)) << "markers lie between";
  EXPECT_EQ(next.value, 10u);
}

TEST(NextOffset, WithoutTheCheckARepeatedRecordPasses) {
  NextOffset next{5, false};
  EXPECT_TRUE(next.admit(5));
  EXPECT_TRUE(next.admit(5));
}

TEST(Doorbell, IsSilentUntilItRingsAndForgetsNoWake) {
  Doorbell doorbell;
  doorbell.wake();
  doorbell.silence();
  EXPECT_TRUE(doorbell.wait_until(std::chrono::steady_clock::time_point::max())) << "a wake before the wait counts";
  doorbell.ring();
  EXPECT_FALSE(doorbell.wait_until(std::chrono::steady_clock::time_point::max()));
  EXPECT_FALSE(doorbell.wait_until(std::chrono::steady_clock::time_point::min()));
}

TEST(RecordReader, OpensStartsAndStopsWithoutABroker) {
  ClientOptions options;
  options.brokers = "127.0.0.1:1";
  const auto reader = RecordReader::open(options).value();
  const TopicPartition source{Topic::kJournal, 3};
  EXPECT_FALSE(reader->started(source));
  ASSERT_TRUE(reader->start(source, 7).has_value());
  EXPECT_TRUE(reader->started(source));
  EXPECT_EQ(reader->position(source), 7u);
  EXPECT_TRUE(reader->poll(std::chrono::milliseconds{0}).empty());
  reader->stop(source);
  EXPECT_FALSE(reader->started(source));
}

}  // namespace
}  // namespace segue::kafka
