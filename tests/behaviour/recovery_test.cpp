// SPDX-License-Identifier: Apache-2.0
// What a program that starts again notices, and what it must not do twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/codec/state_keys.h"
#include "lib/filelog/log_reader.h"
#include "lib/filelog/memory_file_system.h"
#include "services/replay/log_run.h"
#include "tests/behaviour/memory_commits.h"
#include "tests/behaviour/memory_store.h"

namespace segue::behaviour {
namespace {

using testing::HasSubstr;

constexpr const char* kPath = "/log/events.ndjson";

std::string event(int number, const std::string& type, const std::string& user, int64_t ts) {
  return R"({"event_id":"e)" + std::to_string(number) + R"(","type":")" + type + R"(","user_id":")" + user + R"(","ts":)" + std::to_string(ts) +
         R"(,"item_id":"boots","price":80})" + "\n";
}

const std::string kFirst = event(1, "purchase", "ada", 1000);
const std::string kBroken = "no event\n";
const std::string kSecond = event(2, "purchase", "bob", 2000);
const std::string kThird = event(3, "purchase", "ada", 3000);
const std::string kLog = kFirst + kBroken + kSecond + kThird;

std::shared_ptr<const segment::Definitions> parse(std::string_view yaml) {
  return std::make_shared<const segment::Definitions>(*segment::Definitions::parse(yaml, "test.yaml"));
}

// A machine whose program runs again and again. Each event is a commit.
struct Machine {
  MemoryStore store;
  MemoryCommits commits;
  std::shared_ptr<const segment::Definitions> definitions = parse(segment::default_definitions());
  pipeline::ShardPipeline::Options options = {
      .partition = "events.ndjson", .cache_profiles = 0, .batch_events = 1, .commit_events = 1, .checkpoint_events = UINT64_MAX};
  bool from_the_start = false;  // reads the log from its first byte, whatever the position
  std::function<void()> after_recovery = [] {};

  // Runs over the whole log; then finishes, or dies.
  Result<> live(const std::string& log, bool dies) {
    filelog::MemoryFileSystem files;
    files.put(kPath, log);
    pipeline::ShardPipeline pipeline(options, {definitions, {}, {}}, store);
    SEGUE_TRY(pipeline.recover());
    SEGUE_TRY(pipeline.own(commits));
    after_recovery();
    auto reader = filelog::LogReader::open(files, {kPath}, from_the_start ? Position{} : pipeline.position());
    if (!reader) return tl::unexpected<Error>(reader.error());
    filelog::Chunk chunk;
    codec::EventDecoder decoder;
    Arena arena;
    pipeline::DecodedChunk decoded;
    decoded.shares.resize(1);
    do {
      SEGUE_TRY((*reader)->next(chunk));
      arena.clear();
      replay::decode_chunk(chunk, decoder, arena, decoded);
      SEGUE_TRY(pipeline.take_all(decoded));
    } while (!chunk.last);
    if (!dies) return pipeline.finish();
    store.crash();
    return {};
  }
  // A life that must end with an error.
  Error error_of(const std::string& log) {
    const auto lived = live(log, false);
    EXPECT_FALSE(lived);
    return lived ? Error{} : lived.error();
  }
};

TEST(Recovery, ALogWhoseEventWasChangedIsNotGoneOnWith) {
  Machine machine;
  ASSERT_TRUE(machine.live(kLog, true));
  std::string changed = kLog;
  changed.replace(changed.rfind(":80"), 3, ":81");
  const Error error = machine.error_of(changed);
  EXPECT_EQ(error.kind, ErrorClass::kData);
  EXPECT_THAT(error.message, HasSubstr("gave other outputs than the journal says"));
}

TEST(Recovery, ALogWhoseUnusableLineWasChangedIsNotGoneOnWith) {
  Machine machine;
  ASSERT_TRUE(machine.live(kLog, true));
  std::string changed = kLog;
  changed.replace(changed.find("no event"), 8, "No event");
  EXPECT_EQ(machine.error_of(changed).kind, ErrorClass::kData);
}

TEST(Recovery, ALogThatWasCutIsNotGoneOnWith) {
  Machine machine;
  ASSERT_TRUE(machine.live(kLog, true));
  const Error error = machine.error_of(kFirst + kBroken + kSecond);
  EXPECT_EQ(error.kind, ErrorClass::kData);
  EXPECT_THAT(error.message, HasSubstr("the log ends before commit"));
}

// What was decided under the old ones stays, and is replayed under them.
TEST(Recovery, OtherDefinitionsComeIntoForceBehindTheLastCommit) {
  for (const bool dies : {false, true}) {
    Machine machine;
    ASSERT_TRUE(machine.live(kLog, dies));
    const size_t commits = machine.commits.journal().size();
    const std::string old = machine.commits.journal().back().definitions;
    machine.definitions = parse("version: 1");
    const auto again = machine.live(kLog, false);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(machine.commits.journal()[commits - 1].definitions, old);
    EXPECT_EQ(machine.commits.journal().back().definitions, machine.definitions->hash());
    EXPECT_EQ(machine.commits.journal()[commits].definitions_text, "version: 1");
  }
}

TEST(Recovery, AMissingCommitIsNotPassedOver) {
  Machine machine;
  ASSERT_TRUE(machine.live(kLog, true));
  machine.commits.journal().erase(machine.commits.journal().begin() + 1);
  const Error error = machine.error_of(kLog);
  EXPECT_EQ(error.kind, ErrorClass::kData);
  EXPECT_THAT(error.message, HasSubstr("lacks commit 2"));
}

TEST(Recovery, APageThatIsGoneIsNotTakenForANewUser) {
  Machine machine;
  ASSERT_TRUE(machine.live(kLog, false));
  std::string key;
  codec::make_page_key("bob", key);
  machine.after_recovery = [&] { machine.store.lose(key); };
  const Error error = machine.error_of(kLog + event(4, "purchase", "bob", 4000));
  EXPECT_EQ(error.kind, ErrorClass::kData);
  EXPECT_THAT(error.message, HasSubstr("the page of a known user is missing"));
}

TEST(Recovery, WhatLiesBeforeThePositionIsPassedOver) {
  Machine calm;
  ASSERT_TRUE(calm.live(kLog + kBroken, false));
  // Another shard of the log may be behind: then this one is given again what it has already.
  for (const uint64_t checkpoint_events : {uint64_t{1}, uint64_t{2}, UINT64_MAX}) {
    Machine machine;
    machine.options.checkpoint_events = checkpoint_events;
    ASSERT_TRUE(machine.live(kLog, true));
    machine.from_the_start = true;
    const auto again = machine.live(kLog + kBroken, false);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(machine.commits.transitions(), calm.commits.transitions());
    EXPECT_EQ(machine.commits.dead_letters(), calm.commits.dead_letters());
    EXPECT_EQ(machine.store.contents().size(), calm.store.contents().size());
  }
}

TEST(Recovery, ACommitMayHoldSeveralCutsOfAStormOfTimers) {
  // So many lapse at one event that its batch is cut again and again; a commit falls due after every few of the cuts.
  constexpr int kUsers = 5 * static_cast<int>(shard::Shard::kMaxTimers);
  std::string log;
  for (int i = 0; i < kUsers; ++i) log += event(i, "purchase", "u" + std::to_string(i), i);
  log += event(kUsers, "view", "last", 60 * int64_t{86'400'000});
  Machine calm;
  calm.options = {.partition = "events.ndjson", .commit_events = UINT64_MAX, .commit_bytes = size_t{3} << 20, .checkpoint_events = UINT64_MAX};
  Machine machine;
  machine.options = calm.options;
  ASSERT_TRUE(calm.live(log, false));
  ASSERT_TRUE(machine.live(log, true));
  const size_t commits = machine.commits.journal().size();
  ASSERT_GT(commits, 4u);
  const auto again = machine.live(log, false);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(machine.commits.transitions(), calm.commits.transitions());
  EXPECT_EQ(machine.store.contents().size(), calm.store.contents().size());
}

TEST(Recovery, ALogThatWasReadToItsEndGivesNothingMore) {
  Machine machine;
  ASSERT_TRUE(machine.live(kLog, false));
  const size_t commits = machine.commits.journal().size();
  const std::string transitions = machine.commits.transitions();
  ASSERT_TRUE(machine.live(kLog, false));
  EXPECT_EQ(machine.commits.journal().size(), commits);
  EXPECT_EQ(machine.commits.transitions(), transitions);
}

}  // namespace
}  // namespace segue::behaviour
