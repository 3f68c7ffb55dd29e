// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/record_reader.h"

#include <gmock/gmock.h>

#include <thread>

#include "lib/kafka/topic_inspector.h"
#include "tests/kafka_lib/broker_fixture.h"

namespace segue::kafka {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Everything that polls hand over, until each of the sources reported an end at or above the one wanted.
struct Collected {
  std::map<TopicPartition, std::vector<std::string>> values;
  std::map<TopicPartition, uint64_t> ends;
  std::vector<PartitionTrouble> troubles;

  void add(const ReadBatch& batch) {
    for (const PartitionRecords& part : batch.records)
      for (const Record& record : part.records) values[part.source].emplace_back(record.value);
    for (const PartitionEnd& end : batch.ends) ends[end.source] = end.offset;
    troubles.insert(troubles.end(), batch.troubles.begin(), batch.troubles.end());
  }
};

class RecordReaderTest : public BrokerTest {
 protected:
  // Polls until the condition holds, at most 20 s.
  static void poll_until(RecordReader& reader, Collected& seen, const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("nothing more came");
      seen.add(reader.poll(milliseconds{200}));
    }
  }
  static constexpr TopicPartition kFirst{Topic::kInput, 0};
  static constexpr TopicPartition kSecond{Topic::kInput, 1};
};

// librdkafka before 2.2 rests for up to a second whenever its queues were full: for half a minute here, which is more than poll_until() waits.
TEST_F(RecordReaderTest, GoesOnFetchingWhenAFullQueueWasEmptied) {
  ClientOptions options = make_topics(1);
  produce(options.topics.input, 0, std::vector<std::string>(800, std::string(100'000, 'x')));
  options.prefetch_bytes_per_partition = 1 << 20;
  const auto reader = RecordReader::open(options).value();
  ASSERT_TRUE(reader->start(kFirst, 0).has_value());
  Collected seen;
  poll_until(*reader, seen, [&] {
    // Long enough for the queue to fill.
    reader->pause(kFirst);
    seen.add(reader->poll(milliseconds{50}));
    reader->resume(kFirst);
    return !seen.ends.empty();
  });
  EXPECT_EQ(seen.values[kFirst].size(), 800u);
}

TEST_F(RecordReaderTest, BeginsAtTheGivenOffsetAndTellsTheEnd) {
  const ClientOptions options = make_topics(2);
  produce(options.topics.input, 0, {"a", "b", "c", "d"}, "user");
  produce(options.topics.input, 1, {"x", "y"});
  const auto reader = RecordReader::open(options).value();
  ASSERT_TRUE(reader->start(kFirst, 1).has_value());
  ASSERT_TRUE(reader->start(kSecond, 0).has_value());
  Collected seen;
  poll_until(*reader, seen, [&] { return seen.ends.size() == 2; });
  EXPECT_THAT(seen.values[kFirst], ElementsAre("b", "c", "d"));
  EXPECT_THAT(seen.values[kSecond], ElementsAre("x", "y"));
  EXPECT_EQ(seen.ends[kFirst], 4u);
  EXPECT_EQ(reader->position(kFirst), 4u);
  EXPECT_TRUE(reader->connected());
}

TEST_F(RecordReaderTest, HandsOverKeyOffsetAndTimestamp) {
  const ClientOptions options = make_topics(1, {{"message.timestamp.type", "LogAppendTime"}});
  produce(options.topics.input, 0, {"a", "b"}, "user");
  const auto reader = RecordReader::open(options).value();
  ASSERT_TRUE(reader->start(kFirst, 0).has_value());
  size_t count = 0;
  while (count < 2) {
    for (const PartitionRecords& part : reader->poll(milliseconds{200}).records) {
      for (const Record& record : part.records) {
        EXPECT_EQ(record.key, "user");
        EXPECT_EQ(record.offset, count++);
        EXPECT_TRUE(record.log_append_time);
        EXPECT_GT(to_ms(record.timestamp), 1'600'000'000'000);
      }
    }
  }
}

TEST_F(RecordReaderTest, APausedPartitionKeepsItsPlaceAndDoesNotStopTheOthers) {
  const ClientOptions options = make_topics(2);
  produce(options.topics.input, 0, {"a", "b"});
  const auto reader = RecordReader::open(options).value();
  ASSERT_TRUE(reader->start(kFirst, 0).has_value());
  ASSERT_TRUE(reader->start(kSecond, 0).has_value());
  Collected seen;
  reader->pause(kFirst);
  produce(options.topics.input, 1, {"x"});
  poll_until(*reader, seen, [&] { return !seen.values[kSecond].empty(); });
  EXPECT_THAT(seen.values[kFirst], IsEmpty());
  reader->resume(kFirst);
  poll_until(*reader, seen, [&] { return seen.values[kFirst].size() == 2; });
  EXPECT_THAT(seen.values[kFirst], ElementsAre("a", "b"));
}

TEST_F(RecordReaderTest, BeginsAnewWhereItIsToldTo) {
  const ClientOptions options = make_topics(1);
  produce(options.topics.input, 0, {"a", "b", "c"});
  const auto reader = RecordReader::open(options).value();
  ASSERT_TRUE(reader->start(kFirst, 0).has_value());
  Collected seen;
  poll_until(*reader, seen, [&] { return seen.ends.contains(kFirst); });
  reader->stop(kFirst);
  EXPECT_FALSE(reader->started(kFirst));
  ASSERT_TRUE(reader->start(kFirst, 1).has_value());
  Collected again;
  poll_until(*reader, again, [&] { return again.ends.contains(kFirst); });
  EXPECT_THAT(again.values[kFirst], ElementsAre("b", "c"));
}

TEST_F(RecordReaderTest, SaysWhenTheOffsetIsGone) {
  const ClientOptions options = make_topics(1);
  produce(options.topics.input, 0, {"a", "b", "c", "d"});
  delete_before(options.topics.input, 0, 3);
  const auto reader = RecordReader::open(options).value();
  ASSERT_TRUE(reader->start(kFirst, 1).has_value());
  Collected seen;
  poll_until(*reader, seen, [&] { return !seen.troubles.empty(); });
  EXPECT_EQ(seen.troubles[0].kind, ReadTrouble::kOutOfRange);
  EXPECT_THAT(seen.troubles[0].error.message, HasSubstr("does not hold offset 1"));
  EXPECT_FALSE(reader->started(kFirst));
  EXPECT_THAT(seen.values[kFirst], IsEmpty()) << "never a silent restart elsewhere";
  ASSERT_TRUE(reader->start(kFirst, 3).has_value());
  poll_until(*reader, seen, [&] { return seen.ends.contains(kFirst); });
  EXPECT_THAT(seen.values[kFirst], ElementsAre("d"));
}

TEST_F(RecordReaderTest, SaysWhenTheOffsetIsBehindTheEnd) {
  const ClientOptions options = make_topics(1);
  produce(options.topics.input, 0, {"a"});
  const auto reader = RecordReader::open(options).value();
  ASSERT_TRUE(reader->start(kFirst, 9).has_value());
  Collected seen;
  poll_until(*reader, seen, [&] { return !seen.troubles.empty(); });
  EXPECT_EQ(seen.troubles[0].kind, ReadTrouble::kOutOfRange);
}

TEST_F(RecordReaderTest, HidesAbortedRecordsAndCountsTheirMarkers) {
  const ClientOptions options = make_topics(1);
  produce(options.topics.input, 0, {"a"});
  OpenTransaction(options, "w-1", options.topics.input, 0, "k", "aborted").abort();
  OpenTransaction(options, "w-2", options.topics.input, 0, "k", "committed").commit();
  const auto reader = RecordReader::open(options).value();
  ASSERT_TRUE(reader->start(kFirst, 0).has_value());
  Collected seen;
  poll_until(*reader, seen, [&] { return seen.ends[kFirst] == 5; });
  EXPECT_THAT(seen.values[kFirst], ElementsAre("a", "committed"));
}

TEST_F(RecordReaderTest, WakesFromAnotherThread) {
  const auto reader = RecordReader::open(make_topics(1)).value();
  std::thread other([&] { reader->wake(); });
  EXPECT_TRUE(reader->poll(std::chrono::hours{1}).empty());
  other.join();
}

TEST_F(RecordReaderTest, GoesOnAfterTheBrokerWasAway) {
  const ClientOptions options = make_topics(1);
  const auto reader = RecordReader::open(options).value();
  ASSERT_TRUE(reader->start(kFirst, 0).has_value());
  produce(options.topics.input, 0, {"a"});
  Collected seen;
  poll_until(*reader, seen, [&] { return seen.ends[kFirst] == 1; });
  {
    const BrokerPause pause;
    for (int i = 0; i < 10; ++i) seen.add(reader->poll(milliseconds{100}));
  }
  produce(options.topics.input, 0, {"b"});
  poll_until(*reader, seen, [&] { return seen.ends[kFirst] == 2; });
  EXPECT_THAT(seen.values[kFirst], ElementsAre("a", "b"));
}

TEST_F(RecordReaderTest, ReadsATopicThatIsMadeLater) {
  ClientOptions options = make_topics(1);
  options.topics.input += "-later";
  options.properties["topic.metadata.propagation.max.ms"] = "500";
  options.properties["topic.metadata.refresh.interval.ms"] = "500";
  const auto reader = RecordReader::open(options).value();
  ASSERT_TRUE(reader->start(kFirst, 0).has_value());
  Collected seen;
  for (int i = 0; i < 10; ++i) seen.add(reader->poll(milliseconds{100}));
  make_topic(options.topics.input, 1, {});
  produce(options.topics.input, 0, {"a"});
  poll_until(*reader, seen, [&] { return !seen.values[kFirst].empty(); });
}

class TopicInspectorTest : public BrokerTest {};

TEST_F(TopicInspectorTest, CountsPartitionsAndMissesTopics) {
  ClientOptions options = make_topics(3);
  options.topics.journal += "-missing";
  const auto counts = TopicInspector::open(options).value()->partitions(milliseconds{10'000});
  ASSERT_TRUE(counts.has_value()) << counts.error().message;
  EXPECT_THAT(counts->count, ElementsAre(3, 3, 3, 0));
}

TEST_F(TopicInspectorTest, TellsBothEndsWithOpenTransactionsCounted) {
  const ClientOptions options = make_topics(2);
  produce(options.topics.input, 1, {"a", "b", "c"});
  delete_before(options.topics.input, 1, 1);
  OpenTransaction open(options, "w", options.topics.input, 1, "k", "held back");
  const std::array<int32_t, 3> partitions = {0, 1, 7};
  const auto found = TopicInspector::open(options).value()->watermarks(Topic::kInput, partitions, milliseconds{5'000});
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].watermarks->high, 0u);
  EXPECT_EQ(found[1].watermarks->low, 1u);
  EXPECT_EQ(found[1].watermarks->high, 4u);
  EXPECT_FALSE(found[2].watermarks.has_value());
}

TEST_F(TopicInspectorTest, ReadsSettings) {
  const ClientOptions options = make_topics(1, {{"cleanup.policy", "compact"}, {"retention.ms", "60000"}, {"max.message.bytes", "3000"}});
  const auto inspector = TopicInspector::open(options).value();
  const auto settings = inspector->settings(Topic::kJournal, milliseconds{10'000});
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->cleanup_policy, "compact");
  EXPECT_EQ(settings->retention, milliseconds{60'000});
  EXPECT_EQ(settings->max_message_bytes, 3000);
  EXPECT_EQ(settings->timestamp_type, "CreateTime");
  EXPECT_THAT(inspector->concerns(milliseconds{10'000}).value(), testing::Contains(HasSubstr("compacted")));
}

}  // namespace
}  // namespace segue::kafka
