// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/installed_file.h"

#include <gtest/gtest.h>

#include "tests/simulation/simulated_file_system.h"

namespace segue::rocks {
namespace {

struct InstalledFile : testing::Test {
  InstalledFile() { disk.make_directory("/state"); }

  simulation::SimulatedDisk disk;
  std::unique_ptr<rocksdb::Env> env = simulation::make_simulated_env(disk);
};

TEST_F(InstalledFile, AnAbsentFileIsNumberZero) { EXPECT_EQ(read_installed(*env, "/state").value(), 0u); }

TEST_F(InstalledFile, ReadsWhatWasWrittenLastAndSurvivesACrash) {
  ASSERT_TRUE(write_installed(*env, "/state", 7));
  ASSERT_TRUE(write_installed(*env, "/state", 0x0102030405060708));
  disk.restart(1);
  EXPECT_EQ(read_installed(*env, "/state").value(), 0x0102030405060708u);
}

TEST_F(InstalledFile, EveryFlippedBitAndEveryCutIsNoticed) {
  ASSERT_TRUE(write_installed(*env, "/state", 41));
  const std::string good = disk.contents("/state/INSTALLED");
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    disk.replace("/state/INSTALLED", bad);
    ASSERT_EQ(read_installed(*env, "/state").error().kind, ErrorClass::kData) << bit;
  }
  for (size_t size = 0; size < good.size(); ++size) {
    disk.replace("/state/INSTALLED", good.substr(0, size));
    ASSERT_FALSE(read_installed(*env, "/state")) << size;
  }
}

TEST_F(InstalledFile, ACrashAtAnyOperationLeavesTheOldOrTheNewNumber) {
  for (uint64_t operation = 1;; ++operation) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      ASSERT_TRUE(write_installed(*env, "/state", 1));
      disk.reset_operations();
      disk.crash_at(operation);
      const bool written = write_installed(*env, "/state", 2).has_value();
      disk.restart(seed);
      const auto number = read_installed(*env, "/state");
      ASSERT_TRUE(number) << number.error().message;
      ASSERT_TRUE(*number == 2 || (!written && *number == 1)) << operation << " " << seed;
      if (written) return;
    }
  }
}

}  // namespace
}  // namespace segue::rocks
