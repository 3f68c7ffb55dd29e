// SPDX-License-Identifier: Apache-2.0
// What only happens at the live end: steps of the wall clock, new definitions, and a standby that follows. Whatever the crashes, caches and batches,
// the log with its journal gives the same outputs and pages again.
#include <cstdlib>

#include "tests/unit/pipeline/random_log.h"

namespace segue::pipeline {
namespace {

using event::EventType;

constexpr uint64_t kSeeds = 100;

std::shared_ptr<const segment::Definitions> parse(const std::string& yaml) {
  auto parsed = segment::Definitions::parse(yaml, "test.yaml");
  EXPECT_TRUE(parsed) << segment::to_string(parsed.error());
  return std::make_shared<const segment::Definitions>(std::move(*parsed));
}

// A stage less, another limit, segments and tags that the others lack.
const std::vector<std::shared_ptr<const segment::Definitions>>& all_definitions() {
  static const std::vector<std::shared_ptr<const segment::Definitions>> all = {reference_definitions(), parse(R"(
version: 1
timezone: UTC
settings: {lateness: 1h}
lifecycle:
  stages: [new, buyer, lapsed]
  moves:
    - {from: new, to: buyer, on: purchase}
    - {from: buyer, to: lapsed, when: since(last_purchase) >= 12d}
    - {from: lapsed, to: buyer, on: purchase}
segments:
  - {name: quiet, when: since(last_seen) >= 3d}
tags:
  - {name: high-value, when: spend >= 1000}
)"),
                                                                               parse(R"(
version: 1
timezone: UTC
settings: {lateness: 0s}
lifecycle:
  stages: [new, potential, buyer, returning, lapsed]
  moves:
    - {from: new, to: potential, on: [click, cart, view]}
    - {from: [new, potential], to: buyer, on: purchase}
    - {from: [buyer, returning], to: lapsed, when: since(last_purchase) >= 45d}
tags:
  - {name: "cat:*", top: 2 of category}
  - {name: cart-abandoner, when: since(cart_oldest) >= 2h}
)")};
  return all;
}

std::map<std::string, std::string> pages(const ShardFiles& files) {
  auto values = files.store.values;
  std::erase_if(values, [](const auto& entry) { return entry.first == codec::kMetaKey; });
  return values;
}

struct Machine {
  explicit Machine(uint64_t seed) : random(seed), log(draw_log(random, 1)) {}

  ShardPipeline::Options draw() {
    ShardPipeline::Options options = draw_options(random);
    options.commit_outputs_at_once = random.one_in(2);
    options.max_timers = random.one_in(2) ? 1 : 1 + random.below(10);
    if (random.one_in(2)) options.pending_commits = 1 + random.below(3);
    return options;
  }

  // One step of a life at the live end; false ends the life.
  Result<bool> step(ShardPipeline& pipeline) {
    SEGUE_TRY(pipeline.poll());
    if (const auto stretch = pipeline.wanted_stretch(); stretch && !random.one_in(3)) {
      auto records = ShardPipeline::read(files.commits, *stretch);
      if (!records) return tl::unexpected<Error>(records.error());
      SEGUE_TRY(pipeline.take_stretch(std::move(*records)));
      ++stretches;
    }
    const auto at = static_cast<size_t>(pipeline.position().line);
    const size_t end = std::min(log.size(), at + random.below(12));
    const auto taken = pipeline.take(log.chunk(at, end));
    if (!taken) return taken;
    switch (random.below(8)) {
      case 0:
        pipeline.want(all_definitions()[random.below(3)]);
        break;
      case 1:
      case 2:
        if (pipeline.shard().high() != kNoTime && *taken) {
          const auto advanced = pipeline.advance_clock(pipeline.shard().high() + static_cast<int64_t>(random.below(20)) * kDay);
          if (!advanced) return advanced;
          clock_steps += *advanced ? 1 : 0;
        }
        break;
      case 3:
        SEGUE_TRY(pipeline.flush());
        break;
      case 4:
        pipeline.request_checkpoint();
        break;
      default:
        break;
    }
    return pipeline.position().line < log.size() || pipeline.replaying();
  }

  Result<> life(bool last) {
    auto pipeline = make_pipeline(draw(), files);
    SEGUE_TRY(pipeline->recover());
    if (random.one_in(3)) SEGUE_TRY(stand_by(*pipeline));
    SEGUE_TRY(pipeline->own(files.commits));
    for (uint64_t steps = last ? UINT64_MAX : 5 + random.below(60); steps > 0; --steps) {
      const auto more = step(*pipeline);
      if (!more) return tl::unexpected<Error>(more.error());
      if (!*more) break;
    }
    if (!last) return {};
    SEGUE_TRY(pipeline->take_all(log.chunk(log.size(), log.size())));
    SEGUE_TRY(pipeline->finish());
    return {};
  }

  // Follows what is in the journal, and takes the log so far or a part of it.
  Result<> stand_by(ShardPipeline& pipeline) {
    for (size_t i = 0; i < files.commits.records.size() && !random.one_in(9); ++i) {
      SEGUE_TRY(pipeline.follow(files.commits.records[i], i + 1));
      if (random.one_in(4)) SEGUE_TRY(catch_up(pipeline));
    }
    return {};
  }
  Result<> catch_up(ShardPipeline& pipeline) const {
    return pipeline.take_all(log.chunk(static_cast<size_t>(pipeline.position().line), static_cast<size_t>(pipeline.known_end().line)));
  }

  // The journal's steps again, by a shard that commits nothing.
  void expect_same_again() {
    for (int round = 0; round < 2; ++round) {
      ShardFiles copy;
      auto pipeline = make_pipeline(draw(), copy);
      ASSERT_TRUE(pipeline->recover());
      for (size_t i = 0; i < files.commits.records.size(); ++i) {
        const auto followed = pipeline->follow(files.commits.records[i], i + 1);
        ASSERT_TRUE(followed) << followed.error().message;
        if (i % 7 != 0 && i + 1 < files.commits.records.size()) continue;
        const auto caught_up = catch_up(*pipeline);
        ASSERT_TRUE(caught_up) << caught_up.error().message;
      }
      ASSERT_TRUE(pipeline->finish());
      EXPECT_EQ(pages(copy), pages(files));
    }
  }

  Random random;
  TestLog log;
  ShardFiles files;
  uint64_t clock_steps = 0;
  uint64_t stretches = 0;
};

TEST(LiveSteps, JournalGivesTheSameOutputsAndPagesAgain) {
  const char* text = std::getenv("SEGUE_SIMULATION_SEEDS");
  const uint64_t seeds = text == nullptr ? kSeeds : std::min<uint64_t>(kSeeds, std::strtoull(text, nullptr, 10));
  uint64_t clock_steps = 0, activations = 0, stretches = 0, cuts = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Machine machine(seed);
    for (int crash = 0; crash < 4; ++crash) {
      const auto lived = machine.life(false);
      ASSERT_TRUE(lived) << lived.error().message;
      machine.files.store.crash();
      machine.files.commits.crash(machine.random.one_in(2));
      machine.files.commits.delay = machine.random.below(4);
      machine.files.store.delay = machine.random.below(4);
    }
    const auto lived = machine.life(true);
    ASSERT_TRUE(lived) << lived.error().message;
    machine.expect_same_again();
    clock_steps += machine.clock_steps;
    stretches += machine.stretches;
    for (const auto& record : machine.files.commits.records) {
      activations += record.sequence > 1 && !record.definitions_text.empty() ? 1 : 0;
      cuts += record.timers > 0 ? 1 : 0;
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(clock_steps, seeds);
  EXPECT_GT(activations, seeds);
  EXPECT_GT(stretches, seeds / 2);
  EXPECT_GT(cuts, seeds / 5) << "commits that end between timers of one moment";
}

TEST(LiveSteps, NewDefinitionsMoveUsersWithoutAnEvent) {
  TestLog log;
  log.add("a", EventType::kPurchase, kStart);
  log.add("b", EventType::kView, kStart + 20 * kDay);
  ShardFiles files;
  ASSERT_TRUE(live(*make_pipeline({}, files), files, log, 0, {}));
  const std::string before = files.commits.transitions;
  ShardPipeline pipeline({.partition = "test", .cache_profiles = 0}, {all_definitions()[1], {7}, {}}, files.store);
  ASSERT_TRUE(pipeline.recover());
  ASSERT_TRUE(pipeline.own(files.commits));
  ASSERT_TRUE(pipeline.take_all(log.chunk(2, 2)));
  ASSERT_TRUE(pipeline.finish());
  const std::string after = files.commits.transitions.substr(before.size());
  EXPECT_NE(after.find("\"user_id\":\"a\""), std::string::npos);
  EXPECT_NE(after.find("\"name\":\"buyer-to-lapsed\""), std::string::npos) << after;
  EXPECT_NE(after.find("\"cause\":\"definitions\""), std::string::npos) << after;
  EXPECT_EQ(pipeline.definitions()->hash(), all_definitions()[1]->hash());
  EXPECT_EQ(pipeline.shard().population(), (std::vector<uint64_t>{1, 0, 1}));
}

TEST(LiveSteps, TheWallClockFiresADeadlineOnceWhateverComesAfter) {
  TestLog log;
  log.add("a", EventType::kPurchase, kStart);
  log.add("a", EventType::kPurchase, kStart + 31 * kDay);
  ShardFiles files;
  files.commits.delay = 2;
  const auto pipeline = make_pipeline({.commit_outputs_at_once = true}, files);
  ASSERT_TRUE(pipeline->recover());
  ASSERT_TRUE(pipeline->own(files.commits));
  ASSERT_TRUE(pipeline->take_all(log.chunk(0, 1)));
  EXPECT_LE(pipeline->shard().next_timer(), kStart + 30 * kDay);
  for (auto done = pipeline->advance_clock(kStart + 32 * kDay); !done || !*done; done = pipeline->advance_clock(kStart + 32 * kDay))
    ASSERT_TRUE(done) << done.error().message;
  // The step ends its commit: the event has to wait for it.
  ASSERT_TRUE(pipeline->take_all(log.chunk(1, 2)));
  ASSERT_TRUE(pipeline->finish());
  const std::string& told = files.commits.transitions;
  const size_t lapsed = told.find("buyer-to-lapsed");
  ASSERT_NE(lapsed, std::string::npos) << told;
  EXPECT_EQ(told.find("buyer-to-lapsed", lapsed + 1), std::string::npos);
  EXPECT_GT(told.find("lapsed-to-returning"), lapsed);
  EXPECT_TRUE(std::any_of(files.commits.records.begin(), files.commits.records.end(), [](const auto& r) { return r.wall_clock; }));
}

// An event behind a step of the wall clock is in another commit, even where that one has to wait: replay takes the events of a commit first.
TEST(LiveSteps, AStepOfTheWallClockEndsItsCommit) {
  TestLog log;
  log.add("a", EventType::kPurchase, kStart);
  log.add("a", EventType::kPurchase, kStart + 20 * kDay);  // late: "a" has lapsed by the clock
  ShardFiles files;
  files.commits.delay = 5;
  const auto pipeline = make_pipeline({.commit_outputs_at_once = true}, files);
  ASSERT_TRUE(pipeline->recover());
  ASSERT_TRUE(pipeline->own(files.commits));
  ASSERT_TRUE(pipeline->take_all(log.chunk(0, 1)));
  ASSERT_TRUE(pipeline->in_flight());
  const auto advanced = pipeline->advance_clock(kStart + 40 * kDay);
  ASSERT_TRUE(advanced && *advanced);
  ASSERT_TRUE(pipeline->in_flight());
  const auto taken = pipeline->take(log.chunk(1, 2));
  ASSERT_TRUE(taken);
  EXPECT_FALSE(*taken);
  ASSERT_TRUE(pipeline->take_all(log.chunk(1, 2)));
  ASSERT_TRUE(pipeline->finish());
  EXPECT_NE(files.commits.transitions.find("lapsed-to-returning"), std::string::npos);
  ShardFiles copy;
  const auto again = make_pipeline({}, copy);
  ASSERT_TRUE(again->recover());
  for (const auto& record : files.commits.records) ASSERT_TRUE(again->follow(record, 0));
  const auto replayed = again->take_all(log.chunk(0, 2));
  EXPECT_TRUE(replayed) << replayed.error().message;
}

// Buyers whose lapses fall on one moment: commits and checkpoints lie between them, and a life that fires other numbers at a time replays them.
class Ties : public testing::Test {
 protected:
  static constexpr int kUsers = 40;
  static constexpr Time kLapse = kStart + 31 * kDay;

  void SetUp() override {
    for (int i = 0; i < kUsers; ++i) log_.add("u" + std::to_string(i), EventType::kPurchase, kStart);
  }
  ShardPipeline::Options options(size_t most) const {
    return {.cache_profiles = 3, .commit_outputs_at_once = true, .commit_outputs = 1, .max_timers = most, .call_batches = 2};
  }
  Result<std::unique_ptr<ShardPipeline>> begin(size_t most) {
    auto pipeline = make_pipeline(options(most), files_);
    SEGUE_TRY(pipeline->recover());
    SEGUE_TRY(pipeline->own(files_.commits));
    do {
      const auto taken = pipeline->take(log_.chunk(static_cast<size_t>(pipeline->position().line), log_.size()));
      if (!taken) return tl::unexpected<Error>(taken.error());
    } while (pipeline->replaying());
    return pipeline;
  }
  size_t cuts() const {
    return static_cast<size_t>(
        std::count_if(files_.commits.records.begin(), files_.commits.records.end(), [](const auto& record) { return record.timers > 0; }));
  }
  size_t lapses() const {
    size_t count = 0;
    for (size_t at = 0; (at = files_.commits.transitions.find("buyer-to-lapsed", at)) != std::string::npos; ++at) ++count;
    return count;
  }

  TestLog log_;
  ShardFiles files_;
};

TEST_F(Ties, AreSpreadOverCommitsThatAnyLifeReplays) {
  auto first = begin(7);
  ASSERT_TRUE(first) << first.error().message;
  const auto stepped = (*first)->advance_clock(kLapse);
  ASSERT_TRUE(stepped) << stepped.error().message;
  EXPECT_FALSE(*stepped) << "the call ends after two batches";
  EXPECT_TRUE((*first)->gave_way());
  EXPECT_EQ(lapses(), 14U);
  first->reset();
  files_.store.crash();
  for (const size_t most : {1, 5, 1000}) {
    auto next = begin(most);
    ASSERT_TRUE(next) << next.error().message;
    ASSERT_TRUE((*next)->take(log_.chunk(kUsers, kUsers)));  // two batches more
    (*next)->request_checkpoint();
    ASSERT_TRUE((*next)->poll());
    if (most == 5) files_.store.values.clear();  // the last one has no checkpoint
    next->reset();
    files_.store.crash();
  }
  EXPECT_EQ(lapses(), static_cast<size_t>(kUsers));
  EXPECT_GE(cuts(), 5U);
  ShardFiles copy;
  const auto again = make_pipeline(options(1000), copy);
  ASSERT_TRUE(again->recover());
  for (const auto& record : files_.commits.records) ASSERT_TRUE(again->follow(record, 0));
  const auto replayed = again->take_all(log_.chunk(0, log_.size()));
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_FALSE(again->replaying());
}

// New definitions and events come behind the last of them.
TEST_F(Ties, AreFinishedBeforeAnythingElse) {
  auto pipeline = begin(7);
  ASSERT_TRUE(pipeline);
  const auto stepped = (*pipeline)->advance_clock(kLapse);
  ASSERT_TRUE(stepped && !*stepped);
  const std::string before = (*pipeline)->definitions()->hash();
  (*pipeline)->want(all_definitions()[1]);
  log_.add("u1", EventType::kPurchase, kLapse);
  const auto chunk = log_.chunk(kUsers, kUsers + 1);
  for (int calls = 0; lapses() < kUsers; ++calls) {
    ASSERT_LT(calls, 100);
    const auto taken = (*pipeline)->take(chunk);
    ASSERT_TRUE(taken) << taken.error().message;
    if (lapses() < kUsers) {
      EXPECT_FALSE(*taken);
      EXPECT_EQ((*pipeline)->definitions()->hash(), before);
    }
    ASSERT_TRUE((*pipeline)->poll());
  }
  ASSERT_TRUE((*pipeline)->take_all(chunk));
  ASSERT_TRUE((*pipeline)->finish());
  EXPECT_EQ((*pipeline)->definitions()->hash(), all_definitions()[1]->hash());
  EXPECT_NE(files_.commits.transitions.find("lapsed-to-"), std::string::npos);
}

TEST_F(Ties, AnotherCountOfTimersThanTheJournalsIsFound) {
  auto pipeline = begin(7);
  ASSERT_TRUE(pipeline);
  const auto stepped = (*pipeline)->advance_clock(kLapse);
  ASSERT_TRUE(stepped && !*stepped);
  ASSERT_GE(cuts(), 1U);
  pipeline->reset();
  files_.store.crash();
  for (auto& record : files_.commits.records)
    if (record.timers > 0) record.timers += kUsers;
  const auto again = begin(7);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorClass::kData);
  EXPECT_NE(again.error().message.find("timers until its clock"), std::string::npos) << again.error().message;
}

// However many users are due or swept, a call returns after so many batches.
TEST(Turns, ACallEndsAfterSoManyBatchesWhateverIsDue) {
  TestLog log;
  for (int i = 0; i < 100; ++i) log.add("u" + std::to_string(i), EventType::kPurchase, kStart + Duration{i});
  ShardFiles files;
  const auto pipeline = make_pipeline({.batch_events = 10, .max_timers = 4, .sweep_users = 5, .call_batches = 3}, files);
  size_t batches = 0;
  pipeline->on_batch_end([&] { ++batches; });
  ASSERT_TRUE(pipeline->recover());
  ASSERT_TRUE(pipeline->own(files.commits));
  const auto calls_of = [&](const auto& call) {
    size_t calls = 0;
    for (bool done = false; !done; ++calls) {
      batches = 0;
      const auto more = call();
      EXPECT_TRUE(more) << more.error().message;
      done = !more || *more;
      EXPECT_LE(batches, 3U);
      EXPECT_EQ(pipeline->gave_way(), !done);
    }
    return calls;
  };
  EXPECT_EQ(calls_of([&] { return pipeline->take(log.chunk(0, log.size())); }), 4U) << "events";
  EXPECT_GE(calls_of([&] { return pipeline->advance_clock(kStart + 60 * kDay); }), 8U) << "timers";
  pipeline->want(all_definitions()[1]);
  EXPECT_GE(calls_of([&] { return pipeline->take(log.chunk(log.size(), log.size())); }), 6U) << "sweep";
}

class ChangedJournal : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 6; ++i) log_.add("a" + std::to_string(i), EventType::kPurchase, kStart + i * kDay);
    ASSERT_TRUE(live(*make_pipeline({.batch_events = 1, .commit_events = 1}, files_), files_, log_, 0, {}));
    ASSERT_GE(files_.commits.records.size(), 5U);
  }
  // Where the change is found: when it is followed or when it is replayed.
  std::string error_of(size_t record, const std::function<void(codec::JournalRecord&)>& change) {
    change(files_.commits.records[record]);
    ShardFiles copy;
    const auto pipeline = make_pipeline({}, copy);
    EXPECT_TRUE(pipeline->recover());
    for (const auto& r : files_.commits.records)
      if (auto followed = pipeline->follow(r, 0); !followed) return followed.error().message;
    const auto taken = pipeline->take_all(log_.chunk(0, log_.size()));
    return taken ? "" : taken.error().message;
  }

  TestLog log_;
  ShardFiles files_;
};

TEST_F(ChangedJournal, ABrokenChainIsRefused) {
  EXPECT_NE(error_of(2, [](auto& r) { r.previous = TestLog::at(1); }).find("does not follow"), std::string::npos);
}
TEST_F(ChangedJournal, AMissingCommitIsRefused) {
  EXPECT_NE(error_of(2, [](auto& r) { r.sequence = 9; }).find("lacks commit 3"), std::string::npos);
}
TEST_F(ChangedJournal, AClockThatFallsIsRefused) {
  EXPECT_NE(error_of(2, [](auto& r) { r.high = kStart; }).find("does not follow"), std::string::npos);
}
TEST_F(ChangedJournal, OtherDefinitionsWithoutTheirTextAreRefused) {
  EXPECT_NE(error_of(2, [](auto& r) { r.definitions = std::string(32, 'a'); }).find("does not follow"), std::string::npos);
}
TEST_F(ChangedJournal, AnotherChecksumOfTheOutputsIsFound) {
  EXPECT_NE(error_of(2, [](auto& r) { ++r.transitions.checksum; }).find("other outputs"), std::string::npos);
}
TEST_F(ChangedJournal, AnotherNumberOfOutputsIsFound) {
  EXPECT_NE(error_of(2, [](auto& r) { ++r.dead_letters.count; }).find("other outputs"), std::string::npos);
}
TEST_F(ChangedJournal, AnUnchangedOneIsTaken) {
  EXPECT_EQ(error_of(2, [](auto&) {}), "");
}

}  // namespace
}  // namespace segue::pipeline
