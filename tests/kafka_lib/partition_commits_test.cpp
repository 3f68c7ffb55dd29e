// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/partition_commits.h"

#include <gmock/gmock.h>

#include "lib/kafka/journal_chain.h"
#include "tests/kafka_lib/broker_fixture.h"

namespace segue::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PartitionCommitsTest : public BrokerTest {};

std::vector<std::string> values(const std::vector<ReadRecord>& records) {
  std::vector<std::string> all;
  for (const ReadRecord& record : records) all.push_back(record.value);
  return all;
}

void submit_and_wait(PartitionCommits& port, pipeline::Commit commit) {
  const auto taken = port.submit(commit);
  ASSERT_TRUE(taken.has_value()) << taken.error().message;
  const auto waited = port.wait();
  ASSERT_TRUE(waited.has_value()) << waited.error().message;
}

TEST_F(PartitionCommitsTest, WritesEachOutputOnceWithItsHeaders) {
  const ClientOptions options = make_topics(2);
  CommitSource source;
  auto port = open_commits(options, {.partition = 1});
  pipeline::Commit commit = source.next(2);
  add_dead_letter(commit, "not json", "key-7", 7);
  submit_and_wait(*port, std::move(commit));
  submit_and_wait(*port, source.next(0));

  const auto transitions = read(options.topics.transitions, 1);
  ASSERT_THAT(transitions, SizeIs(2));
  EXPECT_EQ(transitions[1].key, "u");
  EXPECT_EQ(transitions[1].value, R"({"line":1.1})");
  const std::map<std::string, std::string> headers = {
      {"ce_specversion", "1.0"},           {"ce_id", "u#2"},    {"ce_source", "/segue/" + options.application + "/1"},
      {"ce_type", "segue.move"},           {"ce_subject", "u"}, {"ce_time", "2023-11-14T22:13:20.123Z"},
      {"content-type", "application/json"}};
  EXPECT_EQ(transitions[1].headers, headers);
  const auto dead = read(options.topics.dead_letters, 1);
  ASSERT_THAT(dead, SizeIs(1));
  EXPECT_EQ(dead[0].key, "key-7");
  EXPECT_EQ(dead[0].value, "not json");
  const std::map<std::string, std::string> dead_headers = {
      {"segue_reason", "invalid_json"}, {"segue_topic", options.topics.input}, {"segue_partition", "1"}, {"segue_offset", "7"}};
  EXPECT_EQ(dead[0].headers, dead_headers);
  const auto journal = read(options.topics.journal, 1);
  EXPECT_THAT(sequences(journal, options.application + "-1"), ElementsAre(1, 2));
  EXPECT_EQ(port->journal_hint(), static_cast<uint64_t>(journal.back().offset));
  EXPECT_THAT(read(options.topics.journal, 0), IsEmpty());
  EXPECT_EQ(port->status().commits, 2u);
}

TEST_F(PartitionCommitsTest, GoesOnAfterTheJournalOfAnEarlierOwner) {
  const ClientOptions options = make_topics(1);
  CommitSource source;
  uint64_t hint = 0;
  {
    auto port = open_commits(options, {});
    for (int i = 0; i < 5; ++i) submit_and_wait(*port, source.next());
    hint = port->journal_hint();
  }
  auto port = PartitionCommits::open(options, {});
  ASSERT_TRUE(port.has_value());
  std::vector<uint64_t> seen;
  const auto note = [&](const codec::JournalRecord& record, uint64_t) -> Result<> { return seen.push_back(record.sequence), Result<>{}; };
  ASSERT_TRUE((*port)->for_each_since(2, 0, note).has_value());
  EXPECT_THAT(seen, ElementsAre(3, 4, 5));
  seen.clear();
  ASSERT_TRUE((*port)->for_each_since(5, hint, note).has_value());
  EXPECT_THAT(seen, IsEmpty());
  const auto beyond = (*port)->for_each_since(6, hint, note);
  ASSERT_FALSE(beyond.has_value());
  EXPECT_THAT(beyond.error().message, HasSubstr("ends at sequence 5, before the state's 6"));
  submit_and_wait(**port, source.next());
  EXPECT_THAT(sequences(read(options.topics.journal, 0), options.application + "-0"), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(PartitionCommitsTest, SaysThatTheJournalLostItsBeginning) {
  const ClientOptions options = make_topics(1);
  CommitSource source;
  auto port = open_commits(options, {});
  for (int i = 0; i < 4; ++i) submit_and_wait(*port, source.next());
  delete_before(options.topics.journal, 0, static_cast<int64_t>(port->journal_hint()));
  const auto all = [](const codec::JournalRecord&, uint64_t) -> Result<> { return {}; };
  const auto read = port->for_each_since(2, 0, all);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, ErrorClass::kStop);
  EXPECT_THAT(read.error().message, HasSubstr("begins at sequence 4"));
  EXPECT_TRUE(port->for_each_since(3, 0, all).has_value());
}

TEST_F(PartitionCommitsTest, PassesOverOtherApplicationsAndAbortedTransactions) {
  const ClientOptions options = make_topics(1);
  ClientOptions other = options;
  other.application += "-other";
  CommitSource source, others;
  auto port = open_commits(options, {});
  auto other_port = open_commits(other, {});
  submit_and_wait(*port, source.next());
  submit_and_wait(*other_port, others.next());
  OpenTransaction(options, "stranger", options.topics.journal, 0, options.application + "-0", "no journal record").abort();
  submit_and_wait(*port, source.next());
  CommitSource seen;
  open_commits(options, {}, &seen);
  EXPECT_EQ(seen.last().sequence, 2u);
}

TEST_F(PartitionCommitsTest, ReadsBehindTheOpenTransactionOfADeadWriter) {
  const ClientOptions options = make_topics(1);
  CommitSource source;
  std::string journal_record;
  codec::encode(source.next().record, journal_record);
  // Its own predecessor died between its records and its commit.
  OpenTransaction dead(options, options.application + "-0", options.topics.journal, 0, options.application + "-0", journal_record);
  CommitSource seen;
  auto port = open_commits(options, {.deadline = std::chrono::milliseconds{20'000}}, &seen);
  EXPECT_EQ(seen.last().sequence, 0u) << "what was not committed does not count";
}

TEST_F(PartitionCommitsTest, NeverTakesAHiddenEndForTheEnd) {
  const ClientOptions options = make_topics(1);
  CommitSource source;
  auto port = open_commits(options, {});
  OpenTransaction stranger(options, "stranger", options.topics.journal, 0, "stranger", "held back");
  submit_and_wait(*port, source.next());  // committed, and hidden behind the stranger's transaction

  auto heir = PartitionCommits::open(options, {.deadline = std::chrono::milliseconds{1'500}});
  ASSERT_TRUE(heir.has_value());
  const auto ignore = [](const codec::JournalRecord&, uint64_t) -> Result<> { return {}; };
  const auto hidden = (*heir)->for_each_since(0, 0, ignore);
  ASSERT_FALSE(hidden.has_value());
  EXPECT_EQ(hidden.error().kind, ErrorClass::kRetry);
  EXPECT_THAT(hidden.error().message, HasSubstr("open transaction"));

  PartitionCommitsOptions careless;
  careless.defences.wait_for_high_watermark = false;
  uint64_t count = 0;
  auto fooled = PartitionCommits::open(options, careless);
  ASSERT_TRUE((*fooled)->for_each_since(0, 0, [&](const codec::JournalRecord&, uint64_t) -> Result<> { return ++count, Result<>{}; }));
  EXPECT_EQ(count, 0u) << "without the defence a committed record is overlooked";

  stranger.abort();
  ASSERT_TRUE((*fooled)->for_each_since(0, 0, [&](const codec::JournalRecord&, uint64_t) -> Result<> { return ++count, Result<>{}; }));
  EXPECT_EQ(count, 1u);
}

TEST_F(PartitionCommitsTest, StopsTheOlderOfTwoOwners) {
  const ClientOptions options = make_topics(1);
  CommitSource source, heirs_source;
  auto old = open_commits(options, {});
  submit_and_wait(*old, source.next());
  auto heir = open_commits(options, {}, &heirs_source);
  submit_and_wait(*heir, heirs_source.next());

  pipeline::Commit late = source.next(2);  // not what the heir committed
  ASSERT_TRUE(old->submit(late).has_value());
  const auto refused = old->wait();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorClass::kStop);
  EXPECT_THAT(refused.error().message, HasSubstr("another instance owns partition 0"));
  EXPECT_EQ(old->status().state, CommitState::kStopped);
  submit_and_wait(*heir, heirs_source.next());
  EXPECT_EQ(heir->status().recycled, 0u) << "the older looked before it fenced";
  EXPECT_THAT(values(read(options.topics.transitions, 0)), ElementsAre(R"({"line":1.0})", R"({"line":2.0})", R"({"line":3.0})"));
}

TEST_F(PartitionCommitsTest, WithoutAStableIdTwoOwnersWriteBoth) {
  const ClientOptions options = make_topics(1);
  PartitionCommitsOptions careless;
  careless.defences.stable_transactional_id = false;
  CommitSource source, heirs_source;
  auto old = open_commits(options, careless);
  auto heir = open_commits(options, careless);
  submit_and_wait(*heir, heirs_source.next());
  submit_and_wait(*old, source.next());
  EXPECT_THAT(sequences(read(options.topics.journal, 0), options.application + "-0"), ElementsAre(1, 1)) << "the journal forks";
  const auto ignore = [](const codec::JournalRecord&, uint64_t) -> Result<> { return {}; };
  const auto noticed = heir->for_each_since(0, 0, ignore);
  ASSERT_FALSE(noticed.has_value());
  EXPECT_EQ(noticed.error().kind, ErrorClass::kData);
  careless.defences.check_journal_chain = false;
  EXPECT_TRUE(PartitionCommits::open(options, careless).value()->for_each_since(0, 0, ignore).has_value()) << "unless nobody looks";
}

TEST_F(PartitionCommitsTest, AFencedOwnerThatOwnsTheStateGoesOn) {
  const ClientOptions options = make_topics(1);
  CommitSource source;
  auto port = open_commits(options, {});
  submit_and_wait(*port, source.next());
  { auto visitor = open_commits(options, {}); }  // fences, and commits nothing
  submit_and_wait(*port, source.next());
  EXPECT_EQ(port->status().recycled, 1u);
  EXPECT_THAT(values(read(options.topics.transitions, 0)), ElementsAre(R"({"line":1.0})", R"({"line":2.0})"));
}

TEST_F(PartitionCommitsTest, AFencedOwnerOutOfTheGroupStops) {
  const ClientOptions options = make_topics(1);
  auto membership = std::make_shared<GroupMembership>();
  CommitSource source;
  auto port = open_commits(options, {.membership = membership});
  { auto heir = open_commits(options, {}); }
  pipeline::Commit commit = source.next();
  ASSERT_TRUE(port->submit(commit).has_value());
  const auto refused = port->wait();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("the group gave it away"));
  EXPECT_THAT(read(options.topics.transitions, 0), IsEmpty());
}

TEST_F(PartitionCommitsTest, WaitsForARecordThatTheBrokerRefuses) {
  const ClientOptions options = make_topics(1, {{"max.message.bytes", "2000"}});
  CommitSource source(std::string(5'000, 'x'));
  auto port = open_commits(options, {});
  pipeline::Commit commit = source.next();
  ASSERT_TRUE(port->submit(commit).has_value());
  while (port->status().state != CommitState::kRetrying) ASSERT_TRUE(port->settled().has_value());
  EXPECT_THAT(port->status().error, HasSubstr("raise max.message.bytes"));
  EXPECT_FALSE(*port->settled());
  EXPECT_THAT(read(options.topics.transitions, 0), IsEmpty());
  port->cancel();
  EXPECT_FALSE(port->wait().has_value());
}

}  // namespace
}  // namespace segue::kafka
