// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/posix_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/unit/filelog/temporary_directory.h"

namespace segue::filelog {
namespace {

using testing::HasSubstr;

TEST(PosixFileSystem, AppendedBytesAreReadBackAtAnyOffset) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  auto file = files.open_to_append(directory.path() + "/a").value();
  ASSERT_TRUE(file->append("hello "));
  ASSERT_TRUE(file->append("world"));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(file->size().value(), 11U);
  char buffer[8];
  EXPECT_EQ(file->read_at(6, buffer).value(), 5U);
  EXPECT_EQ(std::string_view(buffer, 5), "world");
  EXPECT_EQ(file->read_at(100, buffer).value(), 0U);
}

TEST(PosixFileSystem, AppendGoesOnAtTheEndAfterATruncate) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  auto file = files.open_to_append(directory.path() + "/a").value();
  ASSERT_TRUE(file->append("hello world"));
  ASSERT_TRUE(file->truncate(5));
  ASSERT_TRUE(file->append("!"));
  EXPECT_EQ(read_file(files, directory.path() + "/a").value(), "hello!");
}

TEST(PosixFileSystem, MissingFileIsAUsageErrorThatNamesIt) {
  PosixFileSystem files;
  const auto file = files.open_to_read("/nowhere/log.ndjson");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorClass::kUsage);
  EXPECT_THAT(file.error().message, HasSubstr("/nowhere/log.ndjson"));
}

TEST(PosixFileSystem, DirectoryIsNotOpenedAsAFile) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  EXPECT_FALSE(files.open_to_read(directory.path()));
}

TEST(PosixFileSystem, MissingParentsAreMade) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  ASSERT_TRUE(files.make_directories(directory.path() + "/a/b/c/"));
  ASSERT_TRUE(files.make_directories(directory.path() + "/a/b/c"));
  EXPECT_TRUE(files.exists(directory.path() + "/a/b/c").value());
  EXPECT_FALSE(files.exists(directory.path() + "/a/x").value());
}

TEST(PosixFileSystem, FileInTheWayOfADirectoryIsAnError) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  const std::string path = directory.write("a", "");
  EXPECT_FALSE(files.make_directories(path));
  EXPECT_FALSE(files.make_directories(path + "/b"));
}

TEST(PosixFileSystem, ListIsSorted) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  for (const char* name : {"b", "c", "a"}) directory.write(name, "");
  EXPECT_THAT(files.list(directory.path()).value(), testing::ElementsAre("a", "b", "c"));
  ASSERT_TRUE(files.rename(directory.path() + "/a", directory.path() + "/b"));
  ASSERT_TRUE(files.remove(directory.path() + "/c"));
  EXPECT_THAT(files.list(directory.path()).value(), testing::ElementsAre("b"));
}

TEST(PosixFileSystem, SecondLockOfOneProcessIsRefused) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  auto first = lock_directory(files, directory.path());
  ASSERT_TRUE(first);
  const auto second = lock_directory(files, directory.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorClass::kUsage);
  first->reset();
  EXPECT_TRUE(lock_directory(files, directory.path()));
}

TEST(PosixFileSystem, SecondProcessIsToldWhoHasTheLock) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  const auto held = lock_directory(files, directory.path());
  ASSERT_TRUE(held);
  const std::string expected = directory.path() + " is in use by process " + std::to_string(::getpid());
  const pid_t child = ::fork();
  if (child == 0) {
    const auto second = lock_directory(files, directory.path());
    ::_exit(!second && second.error().message == expected ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(PosixFileSystem, LockOfADeadProcessIsFree) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(lock_directory(files, directory.path()) ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(lock_directory(files, directory.path()));
}

TEST(PosixFileSystem, AtomicWriteReplacesTheWholeFile) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  const std::string path = directory.write("a", "a long old content");
  directory.write("a.unfinished", "left by a crash");
  ASSERT_TRUE(write_file_atomically(files, path, "new"));
  EXPECT_EQ(read_file(files, path).value(), "new");
  EXPECT_THAT(files.list(directory.path()).value(), testing::ElementsAre("a"));
}

}  // namespace
}  // namespace segue::filelog
