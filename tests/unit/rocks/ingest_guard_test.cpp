// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/ingest_guard.h"

#include <gtest/gtest.h>

#include "tests/simulation/simulated_file_system.h"

namespace segue::rocks {
namespace {

TEST(IngestGuard, AFileLinkedFromTheKeptOneStaysUntilReleased) {
  simulation::SimulatedDisk disk;
  const auto base = simulation::make_simulated_env(disk);
  const auto guard = std::make_shared<IngestGuard>(base->GetFileSystem());
  GuardedEnv env(base.get(), guard);
  rocksdb::FileSystem& files = *env.GetFileSystem();
  const rocksdb::IOOptions options;
  disk.replace("/d/sealed-1.sst", "x");
  disk.replace("/d/other", "y");

  guard->keep("/d/sealed-1.sst");
  ASSERT_TRUE(files.LinkFile("/d/sealed-1.sst", "/d/000007.sst", options, nullptr).ok());
  ASSERT_TRUE(files.DeleteFile("/d/000007.sst", options, nullptr).ok());
  ASSERT_TRUE(files.DeleteFile("/d/other", options, nullptr).ok());
  EXPECT_TRUE(disk.exists("/d/000007.sst"));
  EXPECT_FALSE(disk.exists("/d/other"));

  guard->release();
  ASSERT_TRUE(files.DeleteFile("/d/000007.sst", options, nullptr).ok());
  EXPECT_FALSE(disk.exists("/d/000007.sst"));
}

}  // namespace
}  // namespace segue::rocks
