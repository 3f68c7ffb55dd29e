// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/file_system.h"

#include <gtest/gtest.h>

#include "lib/filelog/memory_file_system.h"

namespace segue::filelog {
namespace {

TEST(FileSystem, PathsAreTakenApart) {
  EXPECT_EQ(parent_directory("a/b/c"), "a/b");
  EXPECT_EQ(parent_directory("c"), ".");
  EXPECT_EQ(parent_directory("/c"), "/");
  EXPECT_EQ(file_name("a/b/c"), "c");
  EXPECT_EQ(file_name("c"), "c");
}

TEST(FileSystem, WholeFileIsRead) {
  MemoryFileSystem files;
  files.put("d/a", "content");
  EXPECT_EQ(read_file(files, "d/a").value(), "content");
  EXPECT_FALSE(read_file(files, "d/b"));
}

}  // namespace
}  // namespace segue::filelog
