// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <future>
#include <set>
#include <thread>

#include "tests/kafka_lib/broker_fixture.h"

namespace segue::kafka {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Commits whose requests a proxy holds, loses or repeats.
class CommitDoubtTest : public BrokerTest {
 protected:
  void SetUp() override {
    BrokerTest::SetUp();
    direct_ = make_topics(1);
    proxied_ = direct_;
    proxied_.brokers = proxy_.brokers();
  }

  // Sequences of commits of which a reader sees anything.
  std::set<uint64_t> visible() {
    std::set<uint64_t> seen;
    for (const ReadRecord& record : read(direct_.topics.transitions, 0)) seen.insert(std::stoull(record.value.substr(8)));
    for (const uint64_t sequence : sequences(read(direct_.topics.journal, 0), direct_.application + "-0")) seen.insert(sequence);
    return seen;
  }
  // Of the commits whose transitions a reader sees, those that have no journal record: must be none, ever.
  std::set<uint64_t> torn() {
    std::set<uint64_t> seen;
    for (const ReadRecord& record : read(direct_.topics.transitions, 0)) seen.insert(std::stoull(record.value.substr(8)));
    for (const uint64_t sequence : sequences(read(direct_.topics.journal, 0), direct_.application + "-0")) seen.erase(sequence);
    return seen;
  }
  std::vector<std::string> transitions() {
    std::vector<std::string> all;
    for (const ReadRecord& record : read(direct_.topics.transitions, 0)) all.push_back(record.value);
    return all;
  }
  static void submit(PartitionCommits& port, pipeline::Commit commit) {
    const auto taken = port.submit(commit);
    if (!taken) throw std::runtime_error(taken.error().message);
  }
  static void submit_and_wait(PartitionCommits& port, pipeline::Commit commit) {
    submit(port, std::move(commit));
    const auto waited = port.wait();
    if (!waited) throw std::runtime_error(waited.error().message);
  }
  static void until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("it never came to that");
      std::this_thread::sleep_for(milliseconds{20});
    }
  }

  // The request that ends the second transaction reaches the broker in the middle of the third, half of whose records are held up. What of the third
  // is visible meanwhile?
  bool is_third_visible_after_late_end(Defences defences) {
    CommitSource source;
    auto port = open_commits(proxied_, {.defences = defences});
    submit_and_wait(*port, source.next());
    proxy_.command("hold EndTxn seconds=3 cut=1");
    submit_and_wait(*port, source.next());
    EXPECT_EQ(proxy_.count("hold_EndTxn"), 1);
    if (defences.recycle_doubtful_producer) until([&] { return port->status().recycled == 1 && port->status().state == CommitState::kIdle; });
    proxy_.command("hold Produce skip=1 seconds=5");
    submit(*port, source.next());
    bool seen = false;
    until([&] { return proxy_.count("hold_Produce") == 1; });
    const auto end = std::chrono::steady_clock::now() + milliseconds{4'300};
    while (std::chrono::steady_clock::now() < end && !seen) {
      const bool third = visible().contains(3);
      seen = third && std::chrono::steady_clock::now() < end;
    }
    if (defences.recycle_doubtful_producer) {
      EXPECT_TRUE(port->wait().has_value());
      EXPECT_THAT(transitions(), ElementsAre(R"({"line":1.0})", R"({"line":2.0})", R"({"line":3.0})"));
    }
    return seen;
  }

  ProxyProcess proxy_;
  ClientOptions direct_;
  ClientOptions proxied_;
};

TEST_F(CommitDoubtTest, ALateEndOfTransactionTearsNothing) { EXPECT_FALSE(is_third_visible_after_late_end({})); }

TEST_F(CommitDoubtTest, WithoutRecyclingALateEndOfTransactionTearsTheNext) {
  Defences careless;
  careless.recycle_doubtful_producer = false;
  EXPECT_TRUE(is_third_visible_after_late_end(careless));
}

// The broker has committed, and nobody hears of it.
class LostAnswerTest : public CommitDoubtTest {
 protected:
  CommitStatus lose_the_answer(Defences defences) {
    CommitSource source;
    auto port = open_commits(proxied_, {.attempt = milliseconds{2'000}, .defences = defences});
    submit_and_wait(*port, source.next());
    proxy_.command("drop EndTxn count=1000");  // it asks again
    const uint64_t recycled = port->status().recycled;
    submit(*port, source.next());
    until([&] { return proxy_.count("drop_EndTxn") >= 1; });
    proxy_.command("close");
    proxy_.command("cut_all");
    until([&] { return port->status().in_flight > milliseconds{4'000}; });  // it has given the attempt up
    EXPECT_FALSE(port->settled().value());
    proxy_.command("clear");
    proxy_.command("open");
    EXPECT_TRUE(port->wait().has_value());
    EXPECT_GT(port->status().recycled, recycled);
    EXPECT_TRUE(port->wait().has_value());
    submit_and_wait(*port, source.next());
    return port->status();
  }
};

TEST_F(LostAnswerTest, ACommitWhoseAnswerWasLostIsFoundInTheJournal) {
  const CommitStatus status = lose_the_answer({});
  EXPECT_EQ(status.found_in_journal, 1u);
  EXPECT_THAT(transitions(), ElementsAre(R"({"line":1.0})", R"({"line":2.0})", R"({"line":3.0})"));
  EXPECT_THAT(torn(), IsEmpty());
}

TEST_F(LostAnswerTest, WithoutLookingIntoTheJournalItIsThereTwice) {
  Defences careless;
  careless.read_journal_after_init = false;
  lose_the_answer(careless);
  EXPECT_THAT(transitions(), ElementsAre(R"({"line":1.0})", R"({"line":2.0})", R"({"line":2.0})", R"({"line":3.0})"));
}

// What hides the journal's end is ended by a transaction of ours that is aborted. Where that abort went unanswered once it may still arrive, in the
// middle of the first commit.
TEST_F(CommitDoubtTest, AProducerWhoseCureIsInDoubtIsReplacedBeforeItsFirstCommit) {
  CommitSource source;
  OpenTransaction stranger(direct_, "stranger", direct_.topics.journal, 0, "stranger", "held back");
  auto port = PartitionCommits::open(proxied_, {.deadline = milliseconds{1'500}});
  ASSERT_TRUE(port.has_value()) << port.error().message;
  proxy_.command("hold EndTxn seconds=3 cut=1");
  auto end_of_stranger = std::async(std::launch::async, [&] {
    until([&] { return proxy_.count("hold_EndTxn") == 1; });
    stranger.abort();
  });
  const auto read = (*port)->for_each_since(0, 0, [](const codec::JournalRecord&, uint64_t) -> Result<> { return {}; });
  end_of_stranger.get();
  ASSERT_TRUE(read.has_value()) << read.error().message;
  proxy_.command("hold Produce seconds=2");
  submit(**port, source.next());
  until([&] { return proxy_.count("hold_Produce") == 1; });
  EXPECT_EQ((*port)->status().recycled, 1u);
  EXPECT_TRUE((*port)->wait().has_value());
  EXPECT_THAT(transitions(), ElementsAre(R"({"line":1.0})"));
  EXPECT_THAT(torn(), IsEmpty());
}

TEST_F(CommitDoubtTest, RequestsThatComeTwiceChangeNothing) {
  CommitSource source;
  auto port = open_commits(proxied_, {});
  for (const char* kind : {"EndTxn", "Produce", "AddPartitionsToTxn"}) {
    proxy_.command(std::string("repeat ") + kind + " seconds=0.3 cut=1");
    submit_and_wait(*port, source.next());
    submit_and_wait(*port, source.next());
  }
  EXPECT_THAT(transitions(), SizeIs(6));
  EXPECT_THAT(sequences(read(direct_.topics.journal, 0), direct_.application + "-0"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_GE(port->status().recycled, 1u);
}

TEST_F(CommitDoubtTest, CutConnectionsLoseNothing) {
  CommitSource source;
  auto port = open_commits(proxied_, {});
  for (int i = 0; i < 10; ++i) {
    submit(*port, source.next());
    proxy_.command("cut_all");
    ASSERT_TRUE(port->wait().has_value());
  }
  EXPECT_THAT(transitions(), SizeIs(10));
  EXPECT_THAT(sequences(read(direct_.topics.journal, 0), direct_.application + "-0"), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
}

TEST_F(CommitDoubtTest, ABrokerThatStandsStillIsWaitedFor) {
  CommitSource source;
  auto port = open_commits(direct_, {.attempt = milliseconds{500}});
  submit_and_wait(*port, source.next());
  BrokerPause pause;
  submit(*port, source.next());
  until([&] { return port->status().in_flight > milliseconds{1'500}; });  // longer, and its controller takes the broker for dead
  EXPECT_FALSE(port->settled().value());
  EXPECT_EQ(port->status().state, CommitState::kRetrying);
  EXPECT_THAT(port->status().error, testing::HasSubstr("no answer from the broker"));
  pause.end();
  ASSERT_TRUE(port->wait().has_value());
  EXPECT_THAT(transitions(), ElementsAre(R"({"line":1.0})", R"({"line":2.0})"));
}

TEST_F(CommitDoubtTest, APortEndsSoonThoughTheBrokerStandsStill) {
  CommitSource source;
  auto port = open_commits(direct_, {});
  const BrokerPause pause;
  submit(*port, source.next());
  const auto began = std::chrono::steady_clock::now();
  port = nullptr;
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{10}) << "far below every timeout of the client";
}

}  // namespace
}  // namespace segue::kafka
