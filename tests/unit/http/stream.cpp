// SPDX-License-Identifier: Apache-2.0
#include "lib/http/stream.h"

#include <gtest/gtest.h>

namespace segue::http {
namespace {

struct Fixture {
  int changes = 0;
  std::shared_ptr<StreamQueue> queue = std::make_shared<StreamQueue>(10, [this] { ++changes; });
  std::optional<Stream> stream = Stream(queue);
};

TEST(StreamQueue, TellsOfBytesOnceUntilTheyAreTaken) {
  Fixture one;
  EXPECT_EQ(one.stream->write("abc"), StreamWrite::kTaken);
  EXPECT_EQ(one.stream->write("def"), StreamWrite::kTaken);
  EXPECT_EQ(one.changes, 1);
  EXPECT_EQ(one.queue->take().bytes, "abcdef");
  one.stream->write("g");
  EXPECT_EQ(one.changes, 2);
}

TEST(StreamQueue, RefusesWholeWritesAboveItsLimitAndTellsWhenThereIsRoom) {
  Fixture one;
  int drained = 0;
  one.stream->on_drain([&] { ++drained; });
  EXPECT_EQ(one.stream->write("12345678"), StreamWrite::kTaken);
  EXPECT_EQ(one.stream->write("abc"), StreamWrite::kFull);
  EXPECT_EQ(one.queue->take().bytes, "12345678");
  EXPECT_EQ(one.stream->write("abc"), StreamWrite::kFull);  // the first bytes are not in the kernel yet
  EXPECT_EQ(drained, 0);
  one.queue->written();
  EXPECT_EQ(drained, 1);
  one.queue->written();
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(one.stream->write("abc"), StreamWrite::kTaken);
}

TEST(StreamQueue, TakesALargeWriteWhenItIsEmpty) {
  Fixture one;
  EXPECT_EQ(one.stream->write(std::string(100, 'x')), StreamWrite::kTaken);
  EXPECT_EQ(one.stream->write("y"), StreamWrite::kFull);
}

TEST(StreamQueue, EndsWithItsLastHandle) {
  Fixture one;
  one.stream->write("abc");
  auto copy = *one.stream;
  one.stream.reset();
  EXPECT_FALSE(one.queue->take().ended);
  copy = Stream();
  EXPECT_EQ(one.changes, 2);
  EXPECT_TRUE(one.queue->take().ended);
}

TEST(StreamQueue, AnAbortedBodyDoesNotEnd) {
  Fixture one;
  one.stream->write("abc");
  one.stream->abort();
  EXPECT_EQ(one.stream->write("def"), StreamWrite::kGone);
  EXPECT_TRUE(one.queue->take().aborted);
  Fixture ended;
  ended.stream->end();
  ended.stream->abort();
  EXPECT_FALSE(ended.queue->take().aborted);
}

TEST(StreamQueue, SaysThatTheClientIsGone) {
  Fixture one;
  int drained = 0;
  one.stream->on_drain([&] { ++drained; });
  one.stream->write("abc");
  one.queue->close();
  EXPECT_EQ(drained, 1);
  EXPECT_TRUE(one.stream->is_gone());
  EXPECT_EQ(one.stream->queued_bytes(), 0u);
  EXPECT_EQ(one.stream->write("d"), StreamWrite::kGone);
  one.stream->on_drain([&] { ++drained; });
  EXPECT_EQ(drained, 2);
}

}  // namespace
}  // namespace segue::http
