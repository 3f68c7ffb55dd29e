// SPDX-License-Identifier: Apache-2.0
// Snapshots on a volume that fails, is full or flips bytes: errors as values, older snapshots as they were, the next try works.
#include <set>

#include "tests/unit/rocks/hooked_files.h"
#include "tests/unit/rocks/snapshot_fixture.h"

namespace segue::rocks {
namespace {

struct SnapshotFaultTest : SnapshotTest {
  SnapshotFaultTest() : store(open("a")) {}

  SnapshotOptions hooked_options() {
    SnapshotOptions with = options();
    with.env = with.state_env = &files.env;
    return with;
  }
  // A page that came once stays in an old file, and so in a file that snapshots share.
  void next_checkpoint() {
    ++sequence;
    expected = pages_of(sequence, 20);
    ASSERT_TRUE(checkpoint(*store, expected));
    expected = scan_all(*store).value();
    by_sequence[sequence] = expected;
  }
  // Every snapshot that is listed as usable is whole, and has what its record says.
  void check_all(bool with_restore) {
    files.set(0);
    Snapshots snapshots(hooked_options());
    const auto listed = snapshots.list();
    ASSERT_TRUE(listed) << error_text(listed);
    uint64_t last = UINT64_MAX;
    for (const Snapshot& one : *listed) {
      if (!one.is_usable()) continue;
      ASSERT_LT(one.record.info.sequence, last);
      last = one.record.info.sequence;
      if (with_restore) check_restore(snapshots, one);
    }
  }
  void check_restore(Snapshots& snapshots, const Snapshot& one) {
    const auto restored = snapshots.restore(one.id, state("b"));
    ASSERT_TRUE(restored) << error_text(restored);
    ASSERT_EQ(contents("b"), by_sequence[one.record.info.sequence]);
    std::filesystem::remove_all(state("b"));
  }

  CountedFiles files;
  std::unique_ptr<RocksStore> store;
  uint64_t sequence = 0;
  Contents expected;
  std::map<uint64_t, Contents> by_sequence;
};

TEST_F(SnapshotFaultTest, AFailedOperationCostsAtMostThisSnapshot) {
  next_checkpoint();
  ASSERT_TRUE(Snapshots(hooked_options()).create(*store, {}));
  int failed = 0;
  uint64_t quiet = 0;
  for (uint64_t at = 1; quiet < 10; at += 3) {
    next_checkpoint();
    files.happening = [] { return rocksdb::IOStatus::IOError("injected"); };
    files.set(at);
    Snapshots snapshots(hooked_options());
    const auto made = snapshots.create(*store, {});
    quiet = files.operations < at ? quiet + 1 : 0;
    files.set(0);
    if (!made) {
      ++failed;
      ASSERT_EQ(made.error().kind, ErrorClass::kRetry) << at << ": " << made.error().message;
    }
    check_all(at % 5 == 0);
    const auto again = snapshots.create(*store, {});
    ASSERT_TRUE(again) << at << ": " << error_text(again);
    ASSERT_EQ(again->snapshot.record.info.sequence, sequence);
    ASSERT_EQ(snapshots.list()->front().id, again->snapshot.id) << at;
  }
  check_all(true);
  EXPECT_GT(failed, 10);
}

TEST_F(SnapshotFaultTest, AFullVolumeIsReportedAndPasses) {
  next_checkpoint();
  ASSERT_TRUE(Snapshots(hooked_options()).create(*store, {}));
  int refused = 0;
  for (uint64_t room = 0; room < 30; ++room) {
    next_checkpoint();
    uint64_t used = 0;
    std::mutex mutex;
    GuardedEnv full(rocksdb::Env::Default(), std::make_shared<HookedFiles>([&](const std::string& operation, const std::string&) {
                      const std::lock_guard lock(mutex);
                      const bool grows = operation == "append" || operation == "create" || operation == "mkdir";
                      return grows && ++used > room ? rocksdb::IOStatus::NoSpace("injected") : rocksdb::IOStatus::OK();
                    }));
    SnapshotOptions with = options();
    with.env = &full;
    const auto made = Snapshots(with).create(*store, {});
    if (!made) {
      ++refused;
      ASSERT_EQ(made.error().kind, ErrorClass::kRetry) << made.error().message;
      ASSERT_NE(made.error().message.find("disk full"), std::string::npos) << made.error().message;
    }
    ASSERT_EQ(scan_all(*store).value(), expected);
    check_all(room % 4 == 0);
    const auto again = Snapshots(hooked_options()).create(*store, {});
    ASSERT_TRUE(again) << error_text(again);
  }
  EXPECT_GT(refused, 5);
}

TEST_F(SnapshotFaultTest, AFailedOperationOfARestoreLeavesNothingAndTheNextWorks) {
  next_checkpoint();
  const auto made = Snapshots(hooked_options()).create(*store, {});
  ASSERT_TRUE(made) << error_text(made);
  int failed = 0;
  for (uint64_t at = 1, quiet = 0; quiet < 10; at += 2) {
    files.happening = [] { return rocksdb::IOStatus::IOError("injected"); };
    files.set(at);
    const auto restored = Snapshots(hooked_options()).restore(made->snapshot.id, state("b"));
    quiet = files.operations < at ? quiet + 1 : 0;
    files.set(0);
    if (!restored) {
      ++failed;
      ASSERT_TRUE(!std::filesystem::exists(state("b")) || contents("b") == expected) << at;
    } else {
      ASSERT_EQ(contents("b"), expected) << at;
    }
    std::filesystem::remove_all(state("b"));
    check_restore(*std::make_unique<Snapshots>(hooked_options()), made->snapshot);
  }
  EXPECT_GT(failed, 10);
}

// Whatever the restore has read of it by then.
TEST_F(SnapshotFaultTest, ASnapshotThatItsOwnerRemovesMeanwhileIsNotDamaged) {
  SnapshotOptions with_one = options();
  with_one.keep = 1;
  Snapshots owner(with_one);
  int gone = 0;
  for (uint64_t at = 1, quiet = 0; quiet < 3; at += 3) {
    next_checkpoint();
    const auto made = owner.create(*store, {});
    ASSERT_TRUE(made) << error_text(made);
    const Contents before = expected;
    files.happening = [&] {
      next_checkpoint();
      EXPECT_TRUE(store->compact());  // else the next snapshot shares its files
      EXPECT_TRUE(owner.create(*store, {}));
      return rocksdb::IOStatus::OK();
    };
    files.set(at);
    const auto restored = Snapshots(hooked_options()).restore(made->snapshot.id, state("b"));
    quiet = files.operations < at ? quiet + 1 : 0;
    files.set(0);
    if (restored) {
      ASSERT_EQ(contents("b"), before) << at;
    } else {
      ++gone;
      ASSERT_EQ(restored.error().kind, ErrorClass::kRetry) << at << ": " << restored.error().message;
    }
    std::filesystem::remove_all(state("b"));
  }
  EXPECT_GT(gone, 3);
}

// A flipped bit is an error of class data at list or restore, or the restore is right all the same; and the next snapshot is whole.
TEST_F(SnapshotFaultTest, AFlippedBitInAnyFileIsNoticedOrHarmless) {
  for (int i = 0; i < 2; ++i) {
    next_checkpoint();
    ASSERT_TRUE(Snapshots(hooked_options()).create(*store, {}));
  }
  const Snapshot newest = Snapshots(hooked_options()).list()->front();
  const std::string generation = shard() + "/" + generations().front();
  std::set<std::string> noticed;
  size_t flips = 0;
  for (const auto& path : SnapshotTest::files()) {
    const std::string good = read_file(path);
    const size_t step = std::max<size_t>(1, good.size() / 25);
    for (size_t at = flips % step; at < good.size(); at += step, ++flips) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      write_file(path, bad);
      Snapshots snapshots(hooked_options());
      const auto listed = snapshots.list();
      ASSERT_TRUE(listed) << path << ": " << error_text(listed);
      for (const Snapshot& one : *listed) {
        const auto restored = one.is_usable() ? snapshots.restore(one.id, state("b")) : Result<Snapshot>(fail(ErrorClass::kData, one.problem));
        if (restored) {
          ASSERT_EQ(contents("b"), by_sequence[restored->record.info.sequence]) << path << " byte " << at;
        } else {
          ASSERT_EQ(restored.error().kind, ErrorClass::kData) << path << " byte " << at << ": " << restored.error().message;
          noticed.insert(path);
        }
        std::filesystem::remove_all(state("b"));
      }
      write_file(path, good);
      std::filesystem::remove(generation + "/DAMAGED");
    }
    EXPECT_TRUE(path.extension() != ".sst" || noticed.count(path) == 1) << path;
  }
  EXPECT_GT(noticed.size(), 8u);
  EXPECT_GT(flips, 150u);
}

TEST_F(SnapshotFaultTest, AfterDamageTheNextSnapshotSharesNothingWithIt) {
  next_checkpoint();
  ASSERT_TRUE(Snapshots(hooked_options()).create(*store, {}));
  next_checkpoint();
  ASSERT_TRUE(Snapshots(hooked_options()).create(*store, {}));
  for (const auto& path : SnapshotTest::files()) {
    if (path.extension() != ".sst") continue;
    std::string bytes = read_file(path);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_file(path, bytes);
  }
  Snapshots snapshots(hooked_options());
  const auto listed = snapshots.list().value();
  for (const Snapshot& one : listed) {
    const auto restored = snapshots.restore(one.id, state("b"));
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().kind, ErrorClass::kData);
    EXPECT_NE(restored.error().message.find("checksum"), std::string::npos) << restored.error().message;
  }
  next_checkpoint();
  const auto made = snapshots.create(*store, {});
  ASSERT_TRUE(made) << error_text(made);
  EXPECT_EQ(generations().size(), 2u);
  check_restore(snapshots, snapshots.list()->front());
}

TEST_F(SnapshotFaultTest, AMissingFileIsAProblemInTheListAndTheNextSnapshotIsWhole) {
  next_checkpoint();
  ASSERT_TRUE(Snapshots(hooked_options()).create(*store, {}));
  for (const auto& path : SnapshotTest::files())
    if (path.extension() == ".sst") std::filesystem::remove(path);
  Snapshots snapshots(hooked_options());
  ASSERT_EQ(snapshots.list()->size(), 1u);
  EXPECT_NE(snapshots.list()->front().problem.find(".sst"), std::string::npos) << snapshots.list()->front().problem;
  const auto made = snapshots.create(*store, {});
  ASSERT_TRUE(made) << error_text(made);
  EXPECT_TRUE(made->is_new);
  EXPECT_EQ(snapshots.list()->size(), 1u) << "the broken one is gone";
  check_restore(snapshots, snapshots.list()->front());
}

// What rots on the machine's own disk does not reach the volume.
TEST_F(SnapshotFaultTest, ADamagedFileOfTheStateIsNotCopied) {
  ASSERT_TRUE(checkpoint(*store, pages_of(1, 400)));
  for (const auto& entry : std::filesystem::directory_iterator(state("a"))) {
    if (entry.path().extension() != ".sst") continue;
    std::string bytes = read_file(entry.path());
    // A block of pages: making a snapshot reads the first one only, for number and meta.
    char& damaged = bytes[bytes.size() / 2];
    damaged = static_cast<char>(damaged ^ 1);
    write_file(entry.path(), bytes);
  }
  Snapshots snapshots(hooked_options());
  const auto refused = snapshots.create(*store, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorClass::kData) << refused.error().message;
  EXPECT_TRUE(snapshots.list()->empty());
}

}  // namespace
}  // namespace segue::rocks
