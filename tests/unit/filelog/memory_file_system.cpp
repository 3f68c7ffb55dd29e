// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/memory_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace segue::filelog {
namespace {

std::unique_ptr<File> make_file(MemoryFileSystem& files, const std::string& path) {
  EXPECT_TRUE(files.make_directories(parent_directory(path)));
  return files.open_to_append(path).value();
}

TEST(MemoryFileSystem, SyncedBytesSurviveEveryCrash) {
  MemoryFileSystem files;
  auto file = make_file(files, "d/a");
  ASSERT_TRUE(files.sync_directory("d"));
  ASSERT_TRUE(file->append("durable"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->append("lost"));
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const std::string content = files.crash_image(seed)->content("d/a").value();
    EXPECT_THAT(content, testing::StartsWith("durable")) << seed;
    EXPECT_LE(content.size(), 11U);
  }
}

TEST(MemoryFileSystem, UnsyncedBytesAreLostKeptOrTorn) {
  MemoryFileSystem files;
  auto file = make_file(files, "d/a");
  ASSERT_TRUE(files.sync_directory("d"));
  ASSERT_TRUE(file->append("abcdef"));
  EXPECT_EQ(files.crash_image(0)->content("d/a"), "");
  EXPECT_EQ(files.crash_image(1)->content("d/a"), "abcdef");
  std::set<size_t> lengths;
  bool zeros = false;
  bool garbage = false;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    const std::string content = files.crash_image(seed)->content("d/a").value();
    lengths.insert(content.size());
    zeros = zeros || content == std::string(6, '\0');
    garbage = garbage || content.find_first_not_of(std::string_view("abcdef\0", 7)) != std::string::npos;
  }
  EXPECT_EQ(lengths.size(), 7U);
  EXPECT_TRUE(zeros);
  EXPECT_TRUE(garbage);
}

TEST(MemoryFileSystem, CutWithoutASyncMayComeBack) {
  MemoryFileSystem files;
  files.put("d/a", "0123456789");
  auto file = files.open_to_append("d/a").value();
  ASSERT_TRUE(file->truncate(4));
  EXPECT_EQ(files.crash_image(0)->content("d/a"), "0123456789");
  EXPECT_EQ(files.crash_image(1)->content("d/a"), "0123");
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(files.crash_image(0)->content("d/a"), "0123");
}

TEST(MemoryFileSystem, BytesCutBeforeASyncMayComeBack) {
  MemoryFileSystem files;
  files.put("d/a", "01");
  auto file = files.open_to_append("d/a").value();
  ASSERT_TRUE(file->append("2345"));
  ASSERT_TRUE(file->truncate(2));
  const auto comes_back = [&] {
    for (uint64_t seed = 2; seed < 200; ++seed)
      if (files.crash_image(seed)->content("d/a") == "012345") return true;
    return false;
  };
  EXPECT_TRUE(comes_back());
  ASSERT_TRUE(file->sync());
  EXPECT_FALSE(comes_back());
}

TEST(MemoryFileSystem, NamesWithoutADirectorySyncMayBeLost) {
  MemoryFileSystem files;
  auto file = make_file(files, "d/a");
  ASSERT_TRUE(file->append("x"));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(files.crash_image(0)->content("d/a"), std::nullopt);
  ASSERT_TRUE(files.sync_directory("d"));
  EXPECT_EQ(files.crash_image(0)->content("d/a"), "x");
  ASSERT_TRUE(files.rename("d/a", "d/b"));
  EXPECT_EQ(files.crash_image(0)->content("d/a"), "x");
  EXPECT_EQ(files.crash_image(1)->content("d/a"), std::nullopt);
  EXPECT_EQ(files.crash_image(1)->content("d/b"), "x");
}

TEST(MemoryFileSystem, NothingWorksAfterTheCrash) {
  MemoryFileSystem files;
  auto file = make_file(files, "d/a");
  const uint64_t before = files.operations();
  files.crash_after(before + 1);
  ASSERT_TRUE(file->append("x"));
  EXPECT_FALSE(files.crashed());
  EXPECT_FALSE(file->append("y"));
  EXPECT_TRUE(files.crashed());
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(file->size());
  EXPECT_FALSE(files.open_to_read("d/a"));
  EXPECT_EQ(files.crash_image(1)->content("d/a"), "x");
}

TEST(MemoryFileSystem, FullDiskTakesWhatFitsAndLaterTheRest) {
  MemoryFileSystem files;
  auto file = make_file(files, "d/a");
  files.limit_bytes(5);
  const auto full = file->append("0123456789");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, ErrorClass::kRetry);
  EXPECT_THAT(full.error().message, testing::HasSubstr("d/a"));
  EXPECT_EQ(files.content("d/a"), "01234");
  files.limit_bytes(std::nullopt);
  EXPECT_TRUE(file->append("56789"));
  EXPECT_EQ(files.content("d/a"), "0123456789");
}

TEST(MemoryFileSystem, InjectedFaultHappensOnce) {
  MemoryFileSystem files;
  auto file = make_file(files, "d/a");
  files.fail_operation(files.operations() + 1);
  EXPECT_FALSE(file->append("abcd"));
  EXPECT_EQ(files.content("d/a"), "ab");
  EXPECT_TRUE(file->append("cd"));
}

TEST(MemoryFileSystem, LockIsFreeWhenItsHolderHasGone) {
  MemoryFileSystem files;
  auto held = lock_directory(files, "d");
  ASSERT_TRUE(held);
  EXPECT_FALSE(lock_directory(files, "d"));
  held->reset();
  EXPECT_TRUE(lock_directory(files, "d"));
}

TEST(MemoryFileSystem, AtomicWriteLeavesOldOrNewContentWhereverItCrashes) {
  for (uint64_t after = 0; after < 6; ++after) {
    MemoryFileSystem files;
    files.put("d/a", "old");
    files.crash_after(after);
    const bool written = write_file_atomically(files, "d/a", "new content").has_value();
    for (uint64_t seed = 0; seed < 50; ++seed) {
      const std::string content = files.crash_image(seed)->content("d/a").value();
      EXPECT_TRUE(content == "new content" || (content == "old" && !written)) << after << " " << seed << " " << content;
    }
  }
}

TEST(MemoryFileSystem, ListShowsFilesAndDirectories) {
  MemoryFileSystem files;
  files.put("d/a", "");
  files.put("d/e/b", "");
  EXPECT_THAT(files.list("d").value(), testing::ElementsAre("a", "e"));
}

}  // namespace
}  // namespace segue::filelog
