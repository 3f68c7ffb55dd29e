// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/cancel_gate.h"

#include "tests/unit/rocks/hooked_files.h"
#include "tests/unit/rocks/snapshot_fixture.h"

namespace segue::rocks {
namespace {

using CancelGateTest = SnapshotTest;

TEST_F(CancelGateTest, ReadsPassUntilItIsClosed) {
  write_file(volume() + "/file", "abcdef");
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  CancelGate gate(rocksdb::FileSystem::Default(), cancelled);
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  ASSERT_TRUE(gate.NewSequentialFile(volume() + "/file", {}, &file, nullptr).ok());
  char scratch[3];
  rocksdb::Slice bytes;
  ASSERT_TRUE(file->Read(3, {}, &bytes, scratch, nullptr).ok());
  EXPECT_EQ(bytes.ToString(), "abc");
  *cancelled = true;
  EXPECT_TRUE(file->Read(3, {}, &bytes, scratch, nullptr).IsAborted());
  EXPECT_TRUE(gate.NewSequentialFile(volume() + "/absent", {}, &file, nullptr).IsPathNotFound());
}

// The operations differ from run to run by a few, so the sweep goes on until nothing more is cancelled.
TEST_F(CancelGateTest, ACancelledCopyIsAnErrorThatMayPassAndLeavesTheOlderSnapshots) {
  CountedFiles files;
  auto store = open("a");
  ASSERT_TRUE(checkpoint(*store, pages_of(1)));
  const auto with = [&] {
    SnapshotOptions options = this->options();
    options.env = options.state_env = &files.env;
    return options;
  };
  ASSERT_TRUE(Snapshots(with()).create(*store, {}));
  int cancelled = 0;
  uint64_t sequence = 1;
  for (uint64_t at = 1; at < 400; at += 7) {
    ASSERT_TRUE(checkpoint(*store, pages_of(++sequence)));
    Snapshots snapshots(with());
    files.happening = [&] { return snapshots.cancel(), rocksdb::IOStatus::OK(); };
    files.set(at);
    if (const auto made = snapshots.create(*store, {}); !made) {
      ++cancelled;
      ASSERT_EQ(made.error().kind, ErrorClass::kRetry) << made.error().message;
      ASSERT_NE(made.error().message.find("cancelled"), std::string::npos) << made.error().message;
    }
    files.set(0);
    const auto listed = Snapshots(with()).list().value();
    ASSERT_FALSE(listed.empty());
    for (const Snapshot& one : listed) ASSERT_TRUE(one.is_usable()) << one.problem;
    Snapshots other(with());
    files.happening = [&] { return other.cancel(), rocksdb::IOStatus::OK(); };
    files.set(at);
    if (const auto restored = other.restore(listed.front().id, state("b")); !restored) {
      ++cancelled;
      ASSERT_EQ(restored.error().kind, ErrorClass::kRetry) << restored.error().message;
      ASSERT_FALSE(std::filesystem::exists(state("b")));
    }
    files.set(0);
    std::filesystem::remove_all(state("b"));
  }
  EXPECT_GT(cancelled, 10);
}

}  // namespace
}  // namespace segue::rocks
