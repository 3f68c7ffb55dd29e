// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/event_producer.h"

#include <gmock/gmock.h>

#include <future>

#include "lib/base/hash.h"
#include "tests/kafka_lib/broker_fixture.h"

namespace segue::kafka {
namespace {

class EventProducerTest : public BrokerTest {};

// The reads of the API look where topic_partition() says: librdkafka has to have put the events there.
TEST_F(EventProducerTest, WritesToThePartitionThatReadsLookIn) {
  constexpr int kPartitions = 5;
  const std::vector<std::string> users = [] {
    std::vector<std::string> made = {"小王/1?#%2F", "a", std::string(256, 'x'), std::string("\xff\x00\x80", 3)};
    for (int i = 0; i < 300; ++i) made.push_back("u-" + std::to_string(i));
    return made;
  }();
  for (const Partitioner partitioner : {Partitioner::kMurmur2, Partitioner::kCrc32, Partitioner::kFnv1a}) {
    ClientOptions options = make_topics(kPartitions);
    options.partitioner = partitioner;
    const auto producer = EventProducer::open(options, {}).value();
    std::vector<intake::SinkRecord> records;
    for (const std::string& user : users) records.push_back({.user_id = user, .line = "{}"});
    std::promise<bool> done;
    ASSERT_EQ(producer->submit(records, [&](const Result<>& result) { done.set_value(result.has_value()); }), intake::Admission::kTaken);
    ASSERT_TRUE(done.get_future().get());
    std::map<std::string, int32_t> found;
    for (int32_t partition = 0; partition < kPartitions; ++partition)
      for (const ReadRecord& record : read(options.topics.input, partition)) found[record.key] = partition;
    EXPECT_EQ(found.size(), users.size());
    for (const std::string& user : users)
      EXPECT_EQ(found[user], topic_partition(partitioner, user, kPartitions)) << static_cast<int>(partitioner) << " " << user;
  }
}

}  // namespace
}  // namespace segue::kafka
