// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/simulated_file_system.h"

#include <gtest/gtest.h>

#include <set>

namespace segue::simulation {
namespace {

struct SimulatedDiskTest : testing::Test {
  SimulatedDisk::FileHandle make(const std::string& path, std::string_view bytes, bool synced) {
    SimulatedDisk::FileHandle file;
    EXPECT_EQ(disk.create(path, file), DiskError::kNone);
    EXPECT_EQ(disk.append(file, bytes), DiskError::kNone);
    if (synced) {
      EXPECT_EQ(disk.sync(file), DiskError::kNone);
      EXPECT_EQ(disk.sync_directory("/d"), DiskError::kNone);
    }
    return file;
  }

  SimulatedDisk disk;
};

TEST_F(SimulatedDiskTest, SyncedBytesUnderASyncedNameSurvive) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    make("/d/f", "synced", true);
    disk.restart(seed);
    ASSERT_EQ(disk.contents("/d/f"), "synced");
  }
}

TEST_F(SimulatedDiskTest, UnsyncedBytesAreLostKeptCutOrTornButNeverTheSyncedOnes) {
  std::set<std::string> seen;
  disk.set_rubbish_tails(true);
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const auto file = make("/d/f", "synced", true);
    ASSERT_EQ(disk.append(file, "-loose"), DiskError::kNone);
    disk.restart(seed);
    seen.insert(disk.contents("/d/f"));
    ASSERT_TRUE(disk.contents("/d/f").starts_with("synced"));
  }
  EXPECT_TRUE(seen.contains("synced"));
  EXPECT_TRUE(seen.contains("synced-loose"));
  EXPECT_TRUE(seen.contains("synced-lo"));
  EXPECT_TRUE(seen.contains(std::string("synced-\0\0", 9)));
}

TEST_F(SimulatedDiskTest, UnsyncedNamesMayVanishAndRemovedOnesComeBack) {
  std::set<std::vector<std::string>> seen;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SimulatedDisk fresh;
    SimulatedDisk::FileHandle file;
    fresh.create("/d/old", file);
    fresh.sync_directory("/d");
    fresh.create("/d/new", file);
    fresh.remove("/d/old");
    fresh.restart(seed);
    seen.insert(fresh.paths());
  }
  using Names = std::vector<std::string>;
  EXPECT_EQ(seen, (std::set<Names>{{"/d/old"}, {"/d/new", "/d/old"}, {"/d/new"}}));
}

TEST_F(SimulatedDiskTest, ARenameIsAllOrNothing) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    make("/d/f", "old", true);
    make("/d/f.new", "new", true);
    ASSERT_EQ(disk.rename("/d/f.new", "/d/f"), DiskError::kNone);
    disk.restart(seed);
    ASSERT_NE(disk.exists("/d/f.new"), disk.contents("/d/f") == "new");
    seen.insert(disk.contents("/d/f"));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"old", "new"}));
}

TEST_F(SimulatedDiskTest, FromTheCrashOnEverythingFailsUntilRestart) {
  const auto file = make("/d/f", "x", true);
  disk.reset_operations();
  disk.crash_at(2);
  EXPECT_EQ(disk.append(file, "y"), DiskError::kNone);
  EXPECT_EQ(disk.append(file, "z"), DiskError::kFailed);
  EXPECT_TRUE(disk.crashed());
  char byte = 0;
  size_t got = 0;
  EXPECT_EQ(disk.read(file, 0, 1, &byte, got), DiskError::kFailed);
  disk.restart(1);
  EXPECT_EQ(disk.append(file, "y"), DiskError::kFailed) << "a handle from before the crash is dead";
  SimulatedDisk::FileHandle again;
  EXPECT_EQ(disk.open("/d/f", again), DiskError::kNone);
}

TEST_F(SimulatedDiskTest, ASingleFailureIsSingle) {
  disk.fail_at(2);
  SimulatedDisk::FileHandle file;
  EXPECT_EQ(disk.create("/d/a", file), DiskError::kNone);
  EXPECT_EQ(disk.create("/d/b", file), DiskError::kFailed);
  EXPECT_EQ(disk.create("/d/b", file), DiskError::kNone);
}

TEST_F(SimulatedDiskTest, AFullDiskTakesWhatFitsAndFreesWhatIsRemoved) {
  disk.set_capacity(10);
  const auto file = make("/d/a", "123456", false);
  EXPECT_EQ(disk.append(file, "7890XY"), DiskError::kFull);
  EXPECT_EQ(disk.contents("/d/a"), "1234567890");
  EXPECT_EQ(disk.link("/d/a", "/d/b"), DiskError::kNone);
  EXPECT_EQ(disk.remove("/d/a"), DiskError::kNone);
  EXPECT_EQ(disk.used_bytes(), 10u) << "the other name still holds it";
  EXPECT_EQ(disk.remove("/d/b"), DiskError::kNone);
  EXPECT_EQ(disk.used_bytes(), 0u);
  make("/d/c", "1234567890", false);
}

TEST_F(SimulatedDiskTest, ACopyIsIndependent) {
  make("/d/a", "1", false);
  const auto other = disk.copy();
  disk.remove("/d/a");
  other->restart(1);
  EXPECT_EQ(other->contents("/d/a"), "1");
}

TEST(SimulatedFileSystem, ServesRocksDbsOwnCalls) {
  SimulatedDisk disk;
  const auto env = make_simulated_env(disk);
  ASSERT_TRUE(env->CreateDirIfMissing("/d").ok());
  ASSERT_TRUE(rocksdb::WriteStringToFile(env.get(), "text", "/d//f", true).ok());
  std::string text;
  ASSERT_TRUE(rocksdb::ReadFileToString(env.get(), "/d/f", &text).ok());
  EXPECT_EQ(text, "text");
  std::vector<std::string> names;
  ASSERT_TRUE(env->GetChildren("/d/", &names).ok());
  EXPECT_EQ(names, std::vector<std::string>{"f"});
  rocksdb::FileLock* lock = nullptr;
  rocksdb::FileLock* second = nullptr;
  ASSERT_TRUE(env->LockFile("/d/LOCK", &lock).ok());
  EXPECT_FALSE(env->LockFile("/d/LOCK", &second).ok());
  ASSERT_TRUE(env->UnlockFile(lock).ok());
  disk.set_capacity(disk.used_bytes() + 1);
  EXPECT_TRUE(rocksdb::WriteStringToFile(env.get(), "text", "/d/g", true).IsNoSpace());
  EXPECT_TRUE(env->FileExists("/d/none").IsNotFound());
}

}  // namespace
}  // namespace segue::simulation
