// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/output_topics.h"

#include <gmock/gmock.h>

#include <thread>

#include "lib/kafka/topic_follower.h"
#include "tests/kafka_lib/broker_fixture.h"

namespace segue::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Somebody who watches all partitions.
class Watcher {
 public:
  explicit Watcher(OutputTopics& topics) : feed_(topics.feed()) {}

  // Reads until so many lines came, at most 20 s.
  void read_until(size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    for (;;) {
      const auto progress = feed_.read(cursor, 1000, [&](const serving::TransitionFeed::Line& line) {
        lines.push_back(std::to_string(line.partition) + ":" + std::string(line.text));
      });
      if (!progress) throw std::runtime_error(progress.error().message);
      gap = gap || progress->gap;
      if (lines.size() >= count) return;
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("nothing more came");
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
  }

  serving::FeedCursor cursor;
  std::vector<std::string> lines;
  bool gap = false;

 private:
  serving::TransitionFeed& feed_;
};

class OutputTopicsTest : public BrokerTest {
 protected:
  static std::unique_ptr<OutputTopics> follow(const ClientOptions& options, size_t partitions) {
    auto topics = std::make_unique<OutputTopics>(options);
    wait_for([&] { return topics->feed().end().size() == partitions; });
    return topics;
  }
  static void wait_for(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("it does not come about");
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
  }
};

TEST_F(OutputTopicsTest, TellsWhatIsCommittedFromNowOnInAllPartitions) {
  const ClientOptions options = make_topics(2);
  produce(options.topics.transitions, 0, {"before"});
  // Begun before, committed afterwards: it has to be told.
  OpenTransaction open(options, "w-1", options.topics.transitions, 0, "k", "held back");
  const auto topics = follow(options, 2);
  Watcher watcher(*topics);
  watcher.cursor = topics->feed().end();
  EXPECT_EQ(watcher.cursor, (serving::FeedCursor{{0, 1}, {1, 0}}));
  open.commit();
  OpenTransaction(options, "w-2", options.topics.transitions, 1, "k", "aborted").abort();
  produce(options.topics.transitions, 1, {"a", "two\nlines", "b"});
  watcher.read_until(3);
  EXPECT_THAT(watcher.lines, testing::UnorderedElementsAre("0:held back", "1:a", "1:b"));
  EXPECT_FALSE(watcher.gap);
}

TEST_F(OutputTopicsTest, TellsOlderOnesOutOfTheTopic) {
  const ClientOptions options = make_topics(1);
  // More than a block of the archive.
  std::vector<std::string> many;
  for (int i = 0; i < 3000; ++i) many.push_back(std::to_string(i) + std::string(200, 'x'));
  produce(options.topics.transitions, 0, many);
  OpenTransaction(options, "w-1", options.topics.transitions, 0, "k", "aborted").abort();
  OpenTransaction(options, "w-2", options.topics.transitions, 0, "k", "committed").commit();
  const auto topics = follow(options, 1);
  Watcher watcher(*topics);
  watcher.cursor = {{0, 10}};
  Watcher second(*topics);
  second.cursor = {{0, 2990}};
  watcher.read_until(2991);
  second.read_until(11);
  EXPECT_EQ(watcher.lines.size(), 2991U);
  for (size_t i = 0; i < 2990; ++i) ASSERT_EQ(watcher.lines[i], "0:" + many[i + 10]);
  EXPECT_EQ(watcher.lines.back(), "0:committed");
  EXPECT_EQ(second.lines.back(), "0:committed");
  EXPECT_EQ(watcher.cursor, topics->feed().end());
  EXPECT_FALSE(watcher.gap);
}

TEST_F(OutputTopicsTest, TellsOfAGapWhereRetentionWasFaster) {
  const ClientOptions options = make_topics(1);
  produce(options.topics.transitions, 0, {"a", "b", "c", "d"});
  delete_before(options.topics.transitions, 0, 2);
  const auto topics = follow(options, 1);
  Watcher watcher(*topics);
  watcher.cursor = {{0, 1}};
  watcher.read_until(2);
  EXPECT_THAT(watcher.lines, ElementsAre("0:c", "0:d"));
  EXPECT_TRUE(watcher.gap);
}

TEST_F(OutputTopicsTest, KnowsAPlaceThatIsNone) {
  const ClientOptions options = make_topics(1);
  produce(options.topics.transitions, 0, {"a"});
  const auto topics = follow(options, 1);
  serving::FeedCursor cursor{{0, 100}};
  std::optional<Error> error;
  wait_for([&] {
    const auto progress = topics->feed().read(cursor, 1000, [](const serving::TransitionFeed::Line&) {});
    if (!progress) error = progress.error();
    return error.has_value();
  });
  EXPECT_EQ(error->kind, ErrorClass::kUsage);
}

TEST_F(OutputTopicsTest, BeginsWhenTheBrokersAnswerAndGoesOnAfterThem) {
  const ClientOptions options = make_topics(1);
  std::unique_ptr<OutputTopics> topics;
  {
    const BrokerPause pause;
    topics = std::make_unique<OutputTopics>(options);
    EXPECT_THAT(topics->feed().end(), IsEmpty());
  }
  wait_for([&] { return topics->feed().end().size() == 1; });
  Watcher watcher(*topics);
  watcher.cursor = topics->feed().end();
  produce(options.topics.transitions, 0, {"a"});
  watcher.read_until(1);
  {
    const BrokerPause pause;
    std::this_thread::sleep_for(std::chrono::seconds{1});
  }
  produce(options.topics.transitions, 0, {"b"});
  watcher.read_until(2);
  EXPECT_THAT(watcher.lines, ElementsAre("0:a", "0:b"));
}

TEST_F(OutputTopicsTest, KeepsTheNewestDeadLettersByReason) {
  const ClientOptions options = make_topics(1);
  CommitSource source;
  const auto commits = open_commits(options, {.partition = 0}, &source);
  const auto commit_letter = [&](const std::string& raw, uint64_t offset) {
    pipeline::Commit commit = source.next();
    add_dead_letter(commit, raw, "k", offset);
    const bool done = commits->submit(commit) && commits->wait();
    EXPECT_TRUE(done);
  };
  commit_letter("from before", 5);
  const auto topics = follow(options, 1);
  commit_letter(std::string(600'000, 'x'), 6);
  wait_for([&] { return topics->dead_letters(0, 10, "").size() == 2; });
  const auto lines = topics->dead_letters(0, 10, "invalid_json");
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0], "{\"topic\":\"" + options.topics.input + R"(","partition":"0","offset":5,"reason":"invalid_json","raw":"from before"})");
  EXPECT_THAT(lines[1], HasSubstr(R"("offset":6,"reason":"invalid_json","bytes":600000,"raw":"xxx)"));
  EXPECT_THAT(topics->dead_letters(0, 1, ""), SizeIs(1));
  EXPECT_THAT(topics->dead_letters(0, 10, "invalid_ts"), IsEmpty());
}

}  // namespace
}  // namespace segue::kafka
