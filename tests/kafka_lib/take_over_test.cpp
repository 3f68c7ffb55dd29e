// SPDX-License-Identifier: Apache-2.0
// A standby that is to become the owner, and whose followed state is of no use any more: it opens the partition anew, as any owner would.
#include <gmock/gmock.h>

#include <filesystem>
#include <thread>

#include "lib/telemetry/log.h"
#include "services/engine/partition.h"
#include "services/engine/snapshotter.h"
#include "tests/engine/scratch.h"
#include "tests/kafka_lib/broker_fixture.h"

namespace segue::engine {
namespace {

using kafka::Topic;

// One process, as far as its partition is concerned. It is fed by hand.
class Instance {
 public:
  Instance(const kafka::ClientOptions& clients, const Scratch& scratch, const std::string& name, Duration checkpoints)
      : decoder_(codec::DecodeOptions{}) {
    context.config.application = clients.application;
    context.config.kafka.input = clients.topics.input;
    context.config.state.directory = scratch / name;
    context.config.snapshots.directory = scratch / "snapshots";
    context.config.snapshots.interval = Duration(0);  // one after the other
    context.config.checkpoint.interval = checkpoints;
    std::filesystem::create_directories(context.config.state.directory + "/state");
    std::filesystem::create_directories(context.config.snapshots.directory);
    context.clients = clients;
    context.block_cache = rocks::make_block_cache(1 << 20);
    context.definitions = std::make_unique<WantedDefinitions>(
        std::make_shared<const segment::Definitions>(*segment::Definitions::parse(segment::default_definitions(), "default definitions")));
    context.inspector = std::make_unique<SharedInspector>(*kafka::TopicInspector::open(clients), context.ending);
    snapshotter_ = std::make_unique<Snapshotter>(context);
    context.snapshotter = snapshotter_.get();
    partition = std::make_unique<Partition>(context, 0, std::make_shared<PartitionView>(0));
  }
  ~Instance() {
    partition.reset();
    context.snapshotter = nullptr;
  }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Records of the input, the first at `offset`.
  void feed(uint64_t offset, const std::vector<std::string>& values) {
    std::vector<kafka::Record> records;
    for (const std::string& value : values) {
      kafka::Record& record = records.emplace_back();
      record.value = value;
      record.offset = offset++;
    }
    auto chunk = context.chunks.take();
    chunk->fill(partition->next_offset(), records, decoder_);
    partition->push(std::move(chunk));
  }
  // As the owner, until so many commits are there.
  void commit(uint64_t commits) {
    while (partition->settled_commits() < commits) go_on();
  }
  void go_on() {
    const auto advanced = partition->advance(Clock::now(), false);
    if (!advanced) throw std::runtime_error(advanced.error().message);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  Context context;
  std::unique_ptr<Partition> partition;

 private:
  codec::EventDecoder decoder_;
  std::unique_ptr<Snapshotter> snapshotter_;
};

class TakeOverTest : public kafka::BrokerTest {
 protected:
  void SetUp() override {
    BrokerTest::SetUp();
    telemetry::log::set_level(telemetry::log::Level::kError);
    options_ = make_topics(1);
    for (int i = 0; i < 6; ++i)
      events_.push_back(R"({"event_id":"e)" + std::to_string(i) + R"(","user_id":"u","type":"purchase","ts":)" +
                        std::to_string(1'700'000'000'000 + i * 40LL * 86'400'000) + R"(,"item_id":"i","price":1})");
    produce(options_.topics.input, 0, events_);
    owner_ = std::make_unique<Instance>(options_, scratch_, "owner", Duration(1));
    standby_ = std::make_unique<Instance>(options_, scratch_, "standby", std::chrono::hours(1));
    const auto opened = owner_->partition->open(nullptr, [] {});
    ASSERT_TRUE(opened) << opened.error().message;
    feed_owner(0, 1);
    follow_first();
    feed_owner(1, 5);
    wait_for_snapshot();
    owner_ = nullptr;
  }
  void feed_owner(size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) {
      owner_->feed(i, {events_[i]});
      owner_->commit(i + 1);
    }
  }
  void follow_first() {
    const auto opened = standby_->partition->open_to_follow();
    ASSERT_TRUE(opened) << opened.error().message;
    const auto journal = read(options_.topics.journal, 0);
    ASSERT_EQ(journal.size(), 1u);
    const auto followed = standby_->partition->follow(*codec::decode_journal_record(journal[0].value), static_cast<uint64_t>(journal[0].offset));
    ASSERT_TRUE(followed) << followed.error().message;
    standby_->feed(0, {events_[0]});
    while (standby_->partition->pending_commits() > 0) ASSERT_TRUE(standby_->partition->advance_followed(Clock::now()));
    ASSERT_EQ(standby_->partition->known_commit(), 1u);
  }
  void wait_for_snapshot() {
    for (;;) {
      owner_->go_on();
      const auto newest = find_newest(*open_snapshots(owner_->context.config, 0), {});
      if (newest && *newest && (*newest)->record.info.sequence == 5) return;
    }
  }
  void expect_to_go_on() {
    EXPECT_FALSE(standby_->partition->is_following());
    EXPECT_EQ(standby_->partition->next_offset(), 5u);
    standby_->feed(5, {events_[5]});
    standby_->commit(6);
    EXPECT_THAT(kafka::sequences(read(options_.topics.journal, 0), options_.application + "-0"), testing::Contains(6u));
    EXPECT_EQ(standby_->context.counters.damaged_states, 0u);
  }

  Scratch scratch_;
  kafka::ClientOptions options_;
  std::vector<std::string> events_;
  std::unique_ptr<Instance> owner_;
  std::unique_ptr<Instance> standby_;
};

TEST_F(TakeOverTest, WhatWasFollowedGoesOn) {
  // Of the input it has seen one record, of the journal one too: the rest is replayed.
  const auto taken = standby_->partition->take_over(nullptr, [] {});
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(standby_->partition->next_offset(), 1u);
  for (size_t i = 1; i < 5; ++i) standby_->feed(i, {events_[i]});
  while (standby_->partition->pending_commits() > 0) standby_->go_on();
  expect_to_go_on();
}

TEST_F(TakeOverTest, AJournalThatBeginsBehindWhatWasFollowedLeavesTheSnapshot) {
  delete_before(options_.topics.journal, 0, read(options_.topics.journal, 0).back().offset);
  const auto taken = standby_->partition->take_over(nullptr, [] {});
  ASSERT_TRUE(taken) << taken.error().message;
  expect_to_go_on();
}

TEST_F(TakeOverTest, AnInputThatBeginsBehindWhatWasFollowedLeavesTheSnapshot) {
  delete_before(options_.topics.input, 0, 4);
  const auto taken = standby_->partition->take_over(nullptr, [] {});
  ASSERT_TRUE(taken) << taken.error().message;
  expect_to_go_on();
}

TEST_F(TakeOverTest, WithoutASnapshotItSaysWhyItCannotGoOn) {
  standby_->context.config.snapshots.directory.clear();
  delete_before(options_.topics.input, 0, 4);
  const auto taken = standby_->partition->take_over(nullptr, [] {});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ErrorClass::kStop);
  EXPECT_THAT(taken.error().message, testing::HasSubstr("the input begins at 4"));
}

}  // namespace
}  // namespace segue::engine
