// SPDX-License-Identifier: Apache-2.0
// Restarts at places that are hard to meet by chance: between other shards' events, in a storm of timers, where a chunk ends.
#include <gtest/gtest.h>

#include "tests/unit/pipeline/pipeline_fixture.h"

namespace segue::pipeline {
namespace {

using event::EventType;

constexpr ShardPipeline::Options kEveryEvent{.batch_events = 1, .commit_events = 1, .checkpoint_events = 1};
constexpr size_t kStorm = 5 * shard::Shard::kMaxTimers;

// Buyers who lapse one a millisecond, 30 days later, at one event.
TestLog storm_log(size_t shards = 1) {
  TestLog log(shards);
  if (shards > 1) log.add("foreign", EventType::kView, kStart, 1);
  for (size_t i = 0; i < kStorm; ++i) log.add("u" + std::to_string(i), EventType::kPurchase, kStart + Duration{static_cast<int64_t>(i)});
  log.add("last", EventType::kView, kStart + 60 * kDay);
  return log;
}

ShardPipeline::Options storm_options() {
  ShardPipeline::Options options;
  options.commit_events = UINT64_MAX;
  options.checkpoint_events = UINT64_MAX;
  options.dirty_profiles = 8000;  // reached by every batch of the storm
  return options;
}

size_t commits_at(const MemoryCommits& commits, Position next) {
  return static_cast<size_t>(std::count_if(commits.records.begin(), commits.records.end(), [&](const auto& r) { return r.next == next; }));
}

TEST(Restart, KeepsTheTimeOfOtherShardsEventsBehindTheLastOwnOne) {
  TestLog log(2);
  log.add("a", EventType::kPurchase, kStart);
  log.add("foreign", EventType::kView, kStart + 40 * kDay, 1);
  log.add("a", EventType::kPurchase, kStart + 20 * kDay);  // late: "a" has lapsed by then
  ShardFiles calm;
  ASSERT_TRUE(live(*make_pipeline(kEveryEvent, calm), calm, log, 0, {}));

  ShardFiles files;
  files.commits.fail_from = 2;
  ASSERT_FALSE(live(*make_pipeline(kEveryEvent, files), files, log, 0, {}));
  files.store.crash();
  ASSERT_EQ(files.store.installed, 1U);
  files.commits.fail_from = UINT64_MAX;
  const auto again = make_pipeline(kEveryEvent, files);
  ASSERT_TRUE(again->recover());
  ASSERT_TRUE(again->own(files.commits));
  const auto from = static_cast<size_t>(again->position().line);
  const auto lived = live(*make_pipeline(kEveryEvent, files), files, log, from, {});
  ASSERT_TRUE(lived) << lived.error().message;
  EXPECT_EQ(files.commits.transitions, calm.commits.transitions);
}

TEST(Restart, ReplaysCommitsWithinOtherChunks) {
  TestLog log(2);
  log.add("a", EventType::kPurchase, kStart);
  log.add("foreign", EventType::kView, kStart + 40 * kDay, 1);
  log.add("foreign", EventType::kView, kStart + 40 * kDay, 1);
  log.add("a", EventType::kPurchase, kStart + 20 * kDay);
  ShardPipeline::Options options = kEveryEvent;
  options.checkpoint_events = UINT64_MAX;
  for (const size_t end : {1, 2, 3}) {
    ShardFiles files;
    files.commits.fail_from = 2;
    ASSERT_FALSE(live(*make_pipeline(options, files), files, log, 0, {}));
    files.store.crash();
    files.commits.fail_from = UINT64_MAX;
    const auto lived = live(*make_pipeline(options, files), files, log, 0, {end});
    EXPECT_TRUE(lived) << "chunk end " << end << ": " << lived.error().message;
  }
}

// The storm is committed in pieces that have one position and differ in the clock alone.
TEST(Restart, GoesOnInAStormOfTimers) {
  const TestLog log = storm_log();
  ShardFiles calm;
  ASSERT_TRUE(live(*make_pipeline(storm_options(), calm), calm, log, 0, {}));
  const Position storm = TestLog::at(kStorm);
  ASSERT_GE(commits_at(calm.commits, storm), 4U);
  for (const uint64_t commit : {calm.commits.records.size() - 3, calm.commits.records.size() - 1}) {
    ShardFiles files;
    files.commits.fail_from = commit;
    ASSERT_FALSE(live(*make_pipeline(storm_options(), files), files, log, 0, {}));
    files.store.crash();
    files.commits.fail_from = UINT64_MAX;
    const auto again = make_pipeline(storm_options(), files);
    ASSERT_TRUE(again->recover());
    ASSERT_TRUE(again->own(files.commits));
    const auto lived = live(*make_pipeline(storm_options(), files), files, log, static_cast<size_t>(again->position().line), {});
    ASSERT_TRUE(lived) << lived.error().message;
    EXPECT_TRUE(files.commits.transitions == calm.commits.transitions);
    EXPECT_TRUE(files.store.values == calm.store.values);
  }
}

// As where the storm begins with the first record of the log's next file.
TEST(Restart, GoesOnInAStormAtTheEndOfAChunk) {
  const TestLog log = storm_log();
  ShardPipeline::Options options = storm_options();
  options.dirty_profiles = 3 * shard::Shard::kMaxTimers;
  ShardFiles calm;
  ASSERT_TRUE(live(*make_pipeline(options, calm), calm, log, 0, {}));
  ASSERT_GE(commits_at(calm.commits, TestLog::at(kStorm)), 1U);
  ShardFiles files;
  for (size_t i = 0; i < calm.commits.records.size(); ++i)
    if (calm.commits.records[i].next == TestLog::at(kStorm)) files.commits.fail_from = calm.commits.records[i].sequence + 1;
  ASSERT_FALSE(live(*make_pipeline(options, files), files, log, 0, {}));
  files.store.crash();
  files.store.values.clear();  // no checkpoint yet
  files.commits.fail_from = UINT64_MAX;
  const auto lived = live(*make_pipeline(options, files), files, log, 0, {kStorm});
  ASSERT_TRUE(lived) << lived.error().message;
  EXPECT_TRUE(files.commits.transitions == calm.commits.transitions);
}

// Another shard of the log has to read from further back.
TEST(Restart, PassesOverChunksBeforeACommitInAStorm) {
  const TestLog log = storm_log(2);
  const Position storm = TestLog::at(kStorm + 1);
  ShardFiles calm;
  const auto undisturbed = make_pipeline(storm_options(), calm);
  ASSERT_TRUE(live(*undisturbed, calm, log, 0, {}));
  ShardFiles files;
  files.commits.fail_from = calm.commits.records.size() - 1;
  ASSERT_FALSE(live(*make_pipeline(storm_options(), files), files, log, 0, {}));
  files.store.crash();
  files.commits.fail_from = UINT64_MAX;
  {
    const auto again = make_pipeline(storm_options(), files);
    ASSERT_TRUE(again->recover());
    ASSERT_TRUE(again->own(files.commits));
    ASSERT_EQ(again->position(), storm);
    ASSERT_TRUE(again->replaying());
  }
  const auto again = make_pipeline(storm_options(), files);
  const auto lived = live(*again, files, log, 0, {100, kStorm - 100});
  ASSERT_TRUE(lived) << lived.error().message;
  EXPECT_EQ(again->shard().totals(), undisturbed->shard().totals());
  EXPECT_TRUE(files.store.values == calm.store.values);
}

TEST(Restart, RefusesAJournalThatEndsBeforeTheCheckpoint) {
  TestLog log;
  for (int i = 0; i < 5; ++i) log.add("a", EventType::kPurchase, kStart + i * kDay);
  ShardFiles files;
  ASSERT_TRUE(live(*make_pipeline(kEveryEvent, files), files, log, 0, {}));
  ASSERT_GE(files.commits.records.size(), 5U);
  files.commits.records.resize(2);
  const auto again = make_pipeline(kEveryEvent, files);
  ASSERT_TRUE(again->recover());
  const auto recovered = again->own(files.commits);
  ASSERT_FALSE(recovered);
  EXPECT_EQ(recovered.error().kind, ErrorClass::kData);
}

TEST(Restart, RefusesAnEventThatIsLaterThanItWas) {
  TestLog log;
  for (int i = 0; i < 5; ++i) log.add("a", EventType::kPurchase, kStart + i * kDay);
  ShardPipeline::Options options;
  options.checkpoint_events = UINT64_MAX;
  ShardFiles files;
  ASSERT_TRUE(live(*make_pipeline(options, files), files, log, 0, {}));
  files.store.values.clear();
  log.set_time(2, kStart + 100 * kDay);
  const auto lived = live(*make_pipeline(options, files), files, log, 0, {});
  ASSERT_FALSE(lived);
  EXPECT_EQ(lived.error().kind, ErrorClass::kData);
}

TEST(Restart, GoesOnAfterAnEmptyLog) {
  TestLog log;
  ShardFiles files;
  ASSERT_TRUE(live(*make_pipeline(kEveryEvent, files), files, log, 0, {}));
  ASSERT_TRUE(live(*make_pipeline(kEveryEvent, files), files, log, 0, {}));
  EXPECT_TRUE(files.commits.records.empty());
  log.add("a", EventType::kPurchase, kStart);
  ASSERT_TRUE(live(*make_pipeline(kEveryEvent, files), files, log, 0, {}));
  EXPECT_EQ(files.commits.records.size(), 1U);
}

TEST(Restart, TellsEveryDeadLetterOfALogWithoutEventsOnce) {
  TestLog log;
  for (int i = 0; i < 3; ++i) log.add_reject();
  ShardFiles files;
  ASSERT_TRUE(live(*make_pipeline(kEveryEvent, files), files, log, 0, {1, 2}));
  const auto again = make_pipeline(kEveryEvent, files);
  ASSERT_TRUE(again->recover());
  ASSERT_TRUE(again->own(files.commits));
  EXPECT_EQ(again->position(), TestLog::at(3));
  EXPECT_EQ(again->shard().high(), kNoTime);
  ASSERT_TRUE(again->take(log.chunk(0, 3)));  // another shard reads from the start
  ASSERT_TRUE(again->finish());
  EXPECT_EQ(std::count(files.commits.dead_letters.begin(), files.commits.dead_letters.end(), '\n'), 3);
}

TEST(Restart, KeepsAReturnedUserErased) {
  TestLog log;
  log.add("a", EventType::kPurchase, kStart);
  log.add("a", EventType::kDelete, kStart + kDay);
  log.add("a", EventType::kPurchase, kStart + 2 * kDay);
  log.repeat(0);
  log.repeat(1);
  log.add("a", EventType::kDelete, kStart + 3 * kDay);
  log.repeat(2);
  log.add("a", EventType::kPurchase, kStart + 4 * kDay);
  ShardFiles calm;
  const auto undisturbed = make_pipeline({}, calm);
  ASSERT_TRUE(live(*undisturbed, calm, log, 0, {}));
  EXPECT_EQ(undisturbed->shard().totals().erased, 3U);
  for (const size_t delay : {0, 1, 2, 5})
    for (uint64_t commit = 1; commit <= log.size(); ++commit) {
      ShardFiles files;
      files.store.delay = delay;
      files.commits.fail_from = commit;
      ASSERT_FALSE(live(*make_pipeline(kEveryEvent, files), files, log, 0, {}));
      files.store.crash();
      files.commits.fail_from = UINT64_MAX;
      const auto again = make_pipeline(kEveryEvent, files);
      const auto lived = live(*again, files, log, 0, {3});
      ASSERT_TRUE(lived) << lived.error().message;
      EXPECT_EQ(files.commits.transitions, calm.commits.transitions);
      EXPECT_EQ(again->shard().totals(), undisturbed->shard().totals());
      std::erase_if(files.store.values, [](const auto& value) { return value.first == codec::kMetaKey; });
      std::erase_if(calm.store.values, [](const auto& value) { return value.first == codec::kMetaKey; });
      EXPECT_EQ(files.store.values, calm.store.values) << "delay " << delay << " commit " << commit;
    }
}

class LongJournal : public testing::Test {
 protected:
  static constexpr size_t kKept = 3;

  void SetUp() override {
    for (int i = 0; i < 40; ++i) log_.add("a" + std::to_string(i % 7), event::EventType::kPurchase, kStart + i * kDay);
    ASSERT_TRUE(live(*make_pipeline({.batch_events = 1, .commit_events = 1}, files_), files_, log_, 0, {}));
    ASSERT_GE(files_.commits.records.size(), 40U);
    pages_ = files_.store.values;
    files_.store.values.clear();  // the machine is lost, the journal is not
    pipeline_ = make_pipeline({.pending_commits = kKept}, files_);
    ASSERT_TRUE(pipeline_->recover());
  }
  Result<> take_next_stretch() {
    auto records = ShardPipeline::read(files_.commits, *pipeline_->wanted_stretch());
    if (!records) return tl::unexpected<Error>(records.error());
    return pipeline_->take_stretch(std::move(*records));
  }
  // Until nothing is replayed any more; the most records that waited at a time.
  Result<size_t> replay() {
    size_t most = 0;
    while (pipeline_->replaying()) {
      most = std::max(most, pipeline_->pending_commits());
      const auto taken = pipeline_->take(log_.chunk(0, log_.size()));
      if (!taken) return tl::unexpected<Error>(taken.error());
      EXPECT_TRUE(pipeline_->in_flight() == false);
      if (pipeline_->wanted_stretch()) SEGUE_TRY(take_next_stretch());
    }
    return most;
  }

  TestLog log_;
  ShardFiles files_;
  std::map<std::string, std::string> pages_;
  std::unique_ptr<ShardPipeline> pipeline_;
};

TEST_F(LongJournal, IsReplayedInStretchesToTheSamePages) {
  ASSERT_TRUE(pipeline_->own(files_.commits));
  EXPECT_EQ(pipeline_->known_end(), files_.commits.records.back().next) << "its end is known from the beginning";
  const auto most = replay();
  ASSERT_TRUE(most) << most.error().message;
  EXPECT_LE(*most, kKept);
  ASSERT_TRUE(pipeline_->finish());
  const auto without_meta = [](std::map<std::string, std::string> values) { return values.erase(std::string(codec::kMetaKey)), values; };
  EXPECT_EQ(without_meta(files_.store.values), without_meta(pages_));
}

TEST_F(LongJournal, NothingIsCommittedBeforeItsEnd) {
  ASSERT_TRUE(pipeline_->own(files_.commits));
  const size_t commits = files_.commits.records.size();
  log_.add("b", event::EventType::kPurchase, kStart + 99 * kDay);
  for (int i = 0; i < 9; ++i) {
    const auto taken = pipeline_->take(log_.chunk(0, log_.size()));
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_FALSE(*taken);
    ASSERT_TRUE(pipeline_->flush());
    const auto advanced = pipeline_->advance_clock(kStart + 200 * kDay);
    ASSERT_TRUE(advanced);
    EXPECT_FALSE(*advanced);
  }
  EXPECT_EQ(pipeline_->position(), TestLog::at(kKept));
  EXPECT_EQ(files_.commits.records.size(), commits);
}

TEST_F(LongJournal, ABreakBehindWhatIsKeptIsFoundAtOnce) {
  files_.commits.records[20].previous = TestLog::at(1);
  const auto owned = pipeline_->own(files_.commits);
  ASSERT_FALSE(owned);
  EXPECT_NE(owned.error().message.find("commit 21 of the journal does not follow"), std::string::npos) << owned.error().message;
}

TEST_F(LongJournal, AnEndThatChangedMeanwhileIsFound) {
  ASSERT_TRUE(pipeline_->own(files_.commits));
  files_.commits.records.back().high += kDay;
  const auto replayed = replay();
  ASSERT_FALSE(replayed);
  EXPECT_NE(replayed.error().message.find("has changed since"), std::string::npos) << replayed.error().message;
}

TEST_F(LongJournal, AnEndThatIsGoneMeanwhileIsFound) {
  ASSERT_TRUE(pipeline_->own(files_.commits));
  files_.commits.records.pop_back();
  const auto replayed = replay();
  ASSERT_FALSE(replayed);
  EXPECT_NE(replayed.error().message.find("which it had"), std::string::npos) << replayed.error().message;
}

}  // namespace
}  // namespace segue::pipeline
