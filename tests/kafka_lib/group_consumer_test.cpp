// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/group_consumer.h"

#include <gmock/gmock.h>

#include <functional>

#include "tests/kafka_lib/broker_fixture.h"

namespace segue::kafka {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A member, and what its polls told.
struct Member {
  explicit Member(const ClientOptions& options) : consumer(GroupConsumer::open(options).value()) {}

  void poll(milliseconds timeout = milliseconds{50}) {
    const GroupBatch& batch = consumer->poll(timeout);
    if (!batch.revoked.empty()) ++revocations, assigned.reset();
    if (batch.assigned) assigned = batch.assigned;
    if (batch.fatal) fatal = batch.fatal;
    for (const PartitionRecords& part : batch.read->records)
      for (const Record& record : part.records) values[part.source.partition].emplace_back(record.value);
    for (const PartitionEnd& end : batch.read->ends) ends[end.source.partition] = end.offset;
  }

  std::unique_ptr<GroupConsumer> consumer;
  std::optional<std::vector<int32_t>> assigned;
  std::optional<Error> fatal;
  int revocations = 0;
  std::map<int32_t, std::vector<std::string>> values;
  std::map<int32_t, uint64_t> ends;
};

class GroupConsumerTest : public BrokerTest {
 protected:
  static void poll_until(std::vector<Member*> members, const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("it never came to that");
      for (Member* member : members) member->poll();
    }
  }
  static ClientOptions as_instance(ClientOptions options, const std::string& instance) {
    options.instance = options.application + instance;
    return options;
  }
};

TEST_F(GroupConsumerTest, IsAssignedEveryPartitionAndReadsFromItsOwnOffset) {
  const ClientOptions options = make_topics(3);
  produce(options.topics.input, 1, {"a", "b", "c"});
  Member member(options);
  poll_until({&member}, [&] { return member.assigned.has_value(); });
  EXPECT_THAT(*member.assigned, ElementsAre(0, 1, 2));
  EXPECT_TRUE(member.consumer->membership()->owns(1));
  EXPECT_GE(member.consumer->membership()->identity()->generation, 1);
  EXPECT_FALSE(member.consumer->membership()->identity()->member.empty());
  for (int i = 0; i < 5; ++i) member.poll();
  EXPECT_THAT(member.values, IsEmpty()) << "nothing is read before start()";
  ASSERT_TRUE(member.consumer->start(1, 1).has_value());
  poll_until({&member}, [&] { return member.ends.contains(1); });
  EXPECT_THAT(member.values[1], ElementsAre("b", "c"));
}

TEST_F(GroupConsumerTest, SharesWithAnotherInstanceWithoutDroppingWhatItReads) {
  const ClientOptions options = make_topics(4);
  Member first(as_instance(options, "-a"));
  poll_until({&first}, [&] { return first.assigned && first.assigned->size() == 4; });
  ASSERT_TRUE(first.consumer->start(0, 0).has_value());
  produce(options.topics.input, 0, {"a"});
  poll_until({&first}, [&] { return first.values[0].size() == 1; });
  {
    Member second(as_instance(options, "-b"));
    poll_until({&first, &second}, [&] { return first.assigned && first.assigned->size() == 2 && second.assigned; });
    EXPECT_THAT(*first.assigned, ElementsAre(0, 1));
    EXPECT_THAT(*second.assigned, ElementsAre(2, 3));
    EXPECT_EQ(first.revocations, 1);
    EXPECT_FALSE(first.consumer->membership()->owns(2));
    EXPECT_TRUE(first.consumer->started(0));
    produce(options.topics.input, 0, {"b"});
    poll_until({&first, &second}, [&] { return first.values[0].size() == 2; });
  }
  EXPECT_THAT(first.values[0], ElementsAre("a", "b")) << "the rebalance repeated nothing and lost nothing";
}

TEST_F(GroupConsumerTest, AStaticMemberComesBackToItsPartitionsAtOnce) {
  const ClientOptions options = make_topics(4);
  Member other(as_instance(options, "-a"));
  auto restarted = std::make_unique<Member>(as_instance(options, "-b"));
  poll_until({&other, restarted.get()}, [&] { return other.assigned && other.assigned->size() == 2 && restarted->assigned; });
  const int revocations = other.revocations;
  restarted = nullptr;
  restarted = std::make_unique<Member>(as_instance(options, "-b"));
  poll_until({&other, restarted.get()}, [&] { return restarted->assigned.has_value(); });
  EXPECT_THAT(*restarted->assigned, ElementsAre(2, 3));
  EXPECT_EQ(other.revocations, revocations) << "no rebalance";
}

TEST_F(GroupConsumerTest, TheOlderOfTwoProcessesWithOneInstanceIdIsToldSo) {
  const ClientOptions options = make_topics(1);
  Member old(options);
  poll_until({&old}, [&] { return old.assigned.has_value(); });
  Member young(options);
  poll_until({&old, &young}, [&] { return old.fatal.has_value(); });
  EXPECT_EQ(old.fatal->kind, ErrorClass::kStop);
  EXPECT_THAT(old.fatal->message, HasSubstr("another process runs with the same instance id"));
  EXPECT_FALSE(old.consumer->membership()->owns(0));
}

TEST_F(GroupConsumerTest, TheGroupLearnsTheOffsetOfACommit) {
  const ClientOptions options = make_topics(1);
  Member member(options);
  poll_until({&member}, [&] { return member.assigned.has_value(); });
  CommitSource source;
  auto port = open_commits(options, {.membership = member.consumer->membership()});
  pipeline::Commit commit = source.next();
  ASSERT_TRUE(port->submit(commit).has_value());
  ASSERT_TRUE(port->wait().has_value());
  EXPECT_EQ(group_offset(options, 0), 10);
  EXPECT_EQ(port->status().without_offsets, 0u);
}

// The group's answer is old, as it is while a rebalance goes on: the outputs go out without the offset.
TEST_F(GroupConsumerTest, ACommitThatTheGroupRefusesGoesWithoutItsOffset) {
  const ClientOptions options = make_topics(2);
  auto stale = std::make_shared<GroupMembership>();
  {
    Member gone(as_instance(options, "-a"));
    poll_until({&gone}, [&] { return gone.assigned.has_value(); });
    stale->joined(*gone.consumer->membership()->identity(), {0, 1});
  }
  Member again(as_instance(options, "-a"));  // with a new member id
  poll_until({&again}, [&] { return again.assigned.has_value(); });
  CommitSource source;
  auto port = open_commits(options, {.membership = stale});
  for (int i = 0; i < 2; ++i) {
    pipeline::Commit commit = source.next();
    ASSERT_TRUE(port->submit(commit).has_value());
    const auto waited = port->wait();
    ASSERT_TRUE(waited.has_value()) << waited.error().message;
  }
  EXPECT_EQ(port->status().aborted, 1u) << "it is refused once, and then not tried for a while";
  EXPECT_EQ(port->status().without_offsets, 2u);
  EXPECT_EQ(group_offset(options, 0), -1);
  EXPECT_THAT(read(options.topics.transitions, 0), testing::SizeIs(2));
}

TEST_F(GroupConsumerTest, WakesFromAnotherThread) {
  const ClientOptions options = make_topics(1);
  Member member(options);
  poll_until({&member}, [&] { return member.assigned.has_value(); });
  member.consumer->wake();
  member.poll(std::chrono::hours{1});
}

}  // namespace
}  // namespace segue::kafka
