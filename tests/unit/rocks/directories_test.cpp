// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/directories.h"

#include "tests/unit/rocks/snapshot_fixture.h"

namespace segue::rocks {
namespace {

using DirectoriesTest = SnapshotTest;

rocksdb::Env& env() { return *rocksdb::Env::Default(); }

TEST_F(DirectoriesTest, AnAbsentDirectoryListsAsEmptyAndIsRemovedWithoutAnError) {
  EXPECT_TRUE(list_directory(env(), state("absent"))->empty());
  EXPECT_TRUE(remove_tree(env(), state("absent")));
}

TEST_F(DirectoriesTest, MakesAndRemovesNestedOnes) {
  ASSERT_TRUE(make_directories(env(), volume(), "x/y/z"));
  ASSERT_TRUE(make_directories(env(), volume(), "x/y/z"));
  write_file(volume() + "/x/y/file", "1");
  EXPECT_EQ(list_directory(env(), volume() + "/x/y").value(), (std::vector<std::string>{"file", "z"}));
  ASSERT_TRUE(remove_tree(env(), volume() + "/x"));
  EXPECT_TRUE(std::filesystem::is_empty(volume()));
}

TEST_F(DirectoriesTest, DoesNotMakeTheRoot) { EXPECT_FALSE(make_directories(env(), state("absent"), "x")); }

TEST_F(DirectoriesTest, QuarantineKeepsTheTwoLatest) {
  for (int i = 1; i <= 11; ++i) {
    std::filesystem::create_directories(state("s"));
    write_file(state("s/file"), std::to_string(i));
    const auto aside = quarantine(i % 2 == 0 ? state("s") : state("s/"));
    ASSERT_TRUE(aside) << error_text(aside);
    EXPECT_EQ(*aside, state("s.damaged-" + std::to_string(i)));
    EXPECT_FALSE(std::filesystem::exists(state("s")));
  }
  EXPECT_EQ(read_file(state("s.damaged-10/file")), "10");
  EXPECT_EQ(read_file(state("s.damaged-11/file")), "11");
  EXPECT_EQ(list_directory(env(), root)->size(), 3u) << "these two and the volume";
}

TEST_F(DirectoriesTest, QuarantineOfNothingIsAnErrorAndLeavesOthersAlone) {
  std::filesystem::create_directory(state("s.damaged-x"));
  std::filesystem::create_directory(state("s2.damaged-1"));
  EXPECT_FALSE(quarantine(state("s")));
  std::filesystem::create_directory(state("s"));
  EXPECT_EQ(quarantine(state("s")).value(), state("s.damaged-1"));
  EXPECT_TRUE(std::filesystem::exists(state("s.damaged-x")));
  EXPECT_TRUE(std::filesystem::exists(state("s2.damaged-1")));
}

}  // namespace
}  // namespace segue::rocks
