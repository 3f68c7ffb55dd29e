// SPDX-License-Identifier: Apache-2.0
// kill -9 in the middle of making or restoring a snapshot. A process that is killed must not have forked from one with threads, so this program
// starts itself again, with the one test that is switched off and is the victim; it kills itself at a file operation that is drawn.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "tests/unit/rocks/hooked_files.h"
#include "tests/unit/rocks/snapshot_fixture.h"

namespace segue::rocks {
namespace {

constexpr const char* kPlaceVariable = "SEGUE_KILL_PLACE";
constexpr const char* kOperationVariable = "SEGUE_KILL_OPERATION";

struct SnapshotKillTest : SnapshotTest {
  // Whether the victim was killed; else it has finished its work.
  bool run_victim(uint64_t operation) const {
    setenv(kPlaceVariable, root.c_str(), 1);
    setenv(kOperationVariable, std::to_string(operation).c_str(), 1);
    const char* const arguments[] = {"victim", "--gtest_also_run_disabled_tests", "--gtest_brief=1", "--gtest_filter=SnapshotVictim.*", nullptr};
    const pid_t child = fork();
    if (child == 0) {
      execv("/proc/self/exe", const_cast<char* const*>(arguments));
      _exit(127);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    EXPECT_TRUE(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << status;
    return killed;
  }
};

// A life: restores the newest snapshot when there is no state, then makes checkpoints and snapshots; sometimes the state is thrown away at the end.
TEST(SnapshotVictim, DISABLED_Lives) {
  ASSERT_NE(getenv(kPlaceVariable), nullptr);
  const std::string place = getenv(kPlaceVariable);
  CountedFiles files;
  files.happening = [] { return raise(SIGKILL), rocksdb::IOStatus::OK(); };
  files.set(std::stoull(getenv(kOperationVariable)));
  Snapshots snapshots(
      {.volume = place + "/volume", .shard = "app/0", .keep = 2, .describe = describe_number, .env = &files.env, .state_env = &files.env});
  const std::string state = place + "/state";
  if (!std::filesystem::exists(state)) {
    const auto listed = snapshots.list();
    ASSERT_TRUE(listed) << error_text(listed);
    if (!listed->empty() && listed->front().is_usable()) {
      const auto restored = snapshots.restore(listed->front().id, state);
      ASSERT_TRUE(restored) << error_text(restored);
    }
  }
  RocksOptions with;
  with.path = state;
  with.env = &files.env;
  auto store = RocksStore::open(with);
  ASSERT_TRUE(store) << error_text(store);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(checkpoint(**store, pages_of((*store)->installed() + 1, 20)));
    const auto made = snapshots.create(**store, {});
    ASSERT_TRUE(made) << error_text(made);
    ASSERT_EQ(made->warning, "");
  }
  store->reset();
  if (files.at % 3 == 0) std::filesystem::remove_all(state);
}

TEST_F(SnapshotKillTest, AfterAKillAnywhereTheStateOpensAndTheNewestSnapshotRestores) {
  std::mt19937 random(11);
  uint64_t kills = 0, newest = 0;
  for (int i = 0; i < 60; ++i) {
    kills += run_victim(i == 0 ? 0 : 1 + random() % (i % 2 == 0 ? 900 : 120));
    Snapshots snapshots(options());
    const auto listed = snapshots.list();
    ASSERT_TRUE(listed) << error_text(listed);
    ASSERT_FALSE(listed->empty());
    const Snapshot& first = listed->front();
    ASSERT_TRUE(first.is_usable()) << first.problem;
    ASSERT_GE(first.record.checkpoint, newest);
    newest = first.record.checkpoint;
    const auto restored = snapshots.restore(first.id, state("check"));
    ASSERT_TRUE(restored) << error_text(restored);
    const Contents all = contents("check");
    for (const auto& [key, value] : pages_of(newest, 20)) ASSERT_EQ(all.at(key), value) << key;
    std::filesystem::remove_all(state("check"));
    if (std::filesystem::exists(state("state"))) {
      ASSERT_GE(open("state")->installed(), 0u);
      ASSERT_FALSE(std::filesystem::exists(state("state/snapshot")));
    }
  }
  EXPECT_GT(kills, 25u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(shard()), {}), std::ssize(generations()));
  // Nothing piles up: 2 snapshots a generation, and the generations of thrown away states go.
  EXPECT_LE(generations().size(), 4u);
}

}  // namespace
}  // namespace segue::rocks
