// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/table_check.h"

#include <gtest/gtest.h>

#include "tests/unit/rocks/simulated_store.h"

namespace segue::rocks {
namespace {

// Every bit of a table's tail: filter, index, properties and footer. Where it is not refused, RocksDB must answer, not abort.
TEST(TableCheck, EveryFlippedBitAtTheEndOfATableIsAnErrorOrHarmless) {
  SimulatedStore store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(checkpoint(*store.store, {{"m", "1"}, {"p1", "a"}}));
  const Contents contents = scan_all(*store.store).value();
  store.store.reset();
  const auto good = store.disk->copy();
  std::string path;
  for (const std::string& name : good->paths())
    if (name.ends_with(".sst")) path = name;
  const std::string bytes = good->contents(path);
  int refused = 0;
  for (size_t bit = (bytes.size() - 250) * 8; bit < bytes.size() * 8; ++bit) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    SimulatedStore damaged(good->copy());
    damaged.disk->replace(path, bad);
    refused += !check_properties(*damaged.env, path);
    if (!damaged.open()) continue;
    const auto scanned = scan_all(*damaged.store);
    ASSERT_TRUE(!scanned || *scanned == contents) << bit;
  }
  EXPECT_GT(refused, 0);
  EXPECT_TRUE(check_properties(*store.env, path));
}

TEST(TableCheck, AFileTooShortForATableOrAbsentIsLeftToRocksDb) {
  SimulatedStore store;
  store.disk->replace("/short.sst", "x");
  EXPECT_TRUE(check_properties(*store.env, "/short.sst"));
  EXPECT_TRUE(check_properties(*store.env, "/absent.sst"));
}

// What a compaction leaves behind that a kill cut short: blocks without a footer, any bytes at their end.
TEST(TableCheck, AnUnfinishedTableThatNothingNamesIsLeftToRocksDb) {
  SimulatedStore store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(checkpoint(*store.store, {{"m", "1"}}));
  const Contents contents = scan_all(*store.store).value();
  store.store.reset();
  const auto disk = store.disk->copy();
  std::string directory;
  for (const std::string& name : disk->paths())
    if (name.ends_with(".sst")) directory = name.substr(0, name.rfind('/'));
  std::string unfinished(4096, '\xff');
  unfinished[4096 - 53 + 1] = 100;  // read as a footer, the index of meta blocks would begin at 100
  disk->replace(directory + "/000963.sst", unfinished);
  SimulatedStore reopened(disk->copy());
  ASSERT_TRUE(reopened.open());
  EXPECT_EQ(scan_all(*reopened.store).value(), contents);
}

}  // namespace
}  // namespace segue::rocks
