// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/snapshots.h"

#include <atomic>
#include <thread>

#include "lib/rocks/installed_file.h"
#include "tests/unit/rocks/snapshot_fixture.h"

namespace segue::rocks {
namespace {

const Time kNow = time_from_ms(1'700'000'000'000);

std::vector<uint64_t> sequences(const std::vector<Snapshot>& snapshots) {
  std::vector<uint64_t> found;
  for (const Snapshot& one : snapshots) found.push_back(one.record.info.sequence);
  return found;
}

TEST_F(SnapshotTest, ARestoredSnapshotIsTheCheckpointWithItsInfo) {
  auto store = open("a");
  ASSERT_TRUE(checkpoint(*store, pages_of(7)));
  ASSERT_TRUE(checkpoint(*store, pages_of(8)));
  const Contents expected = scan_all(*store).value();
  SnapshotOptions as_in_production = options();
  as_in_production.env = as_in_production.state_env = nullptr;
  Snapshots snapshots(as_in_production);
  const auto made = snapshots.create(*store, kNow);
  ASSERT_TRUE(made) << error_text(made);
  EXPECT_TRUE(made->is_new);
  EXPECT_EQ(made->warning, "");
  ASSERT_TRUE(checkpoint(*store, pages_of(9)));

  const auto listed = snapshots.list();
  ASSERT_TRUE(listed) << error_text(listed);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().id, made->snapshot.id);
  EXPECT_EQ(listed->front().problem, "");
  EXPECT_EQ(listed->front().record.checkpoint, 2u);
  EXPECT_EQ(listed->front().record.made_at, kNow);
  EXPECT_EQ(listed->front().record.info, describe_number("8").value());
  EXPECT_GT(listed->front().size_bytes, 20'000u);

  const auto restored = snapshots.restore(made->snapshot.id, state("b"));
  ASSERT_TRUE(restored) << error_text(restored);
  EXPECT_EQ(restored->record, listed->front().record);
  EXPECT_EQ(contents("b"), expected);
  EXPECT_EQ(open("b")->installed(), 2u);
  EXPECT_FALSE(std::filesystem::exists(state("b.restoring")));
  EXPECT_FALSE(std::filesystem::exists(state("a/snapshot")));
}

TEST_F(SnapshotTest, ARestoredStateGoesOnAndIsGuardedAgainstALostManifest) {
  auto store = open("a");
  for (uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(checkpoint(*store, pages_of(i)));
  Snapshots snapshots(options());
  const auto made = snapshots.create(*store, kNow);
  ASSERT_TRUE(made) << error_text(made);
  ASSERT_TRUE(snapshots.restore(made->snapshot.id, state("b")));
  {
    auto other = open("b");
    ASSERT_TRUE(checkpoint(*other, pages_of(4)));
    EXPECT_EQ(other->installed(), 4u);
  }
  std::filesystem::remove_all(state("b"));
  ASSERT_TRUE(snapshots.restore(made->snapshot.id, state("b")));
  EXPECT_EQ(read_installed(*rocksdb::Env::Default(), state("b")), 3u);
  std::filesystem::remove(state("b/CURRENT"));
  RocksOptions with;
  with.path = state("b");
  const auto refused = RocksStore::open(with);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorClass::kData);
}

TEST_F(SnapshotTest, OnlyTheNewestStayAndFilesThatDidNotChangeAreSharedBetweenThem) {
  auto store = open("a");
  Contents big{{"m", "0"}};
  for (int i = 0; i < 2'000; ++i) big["r" + std::to_string(i)] = std::string(200, 'x');
  ASSERT_TRUE(checkpoint(*store, big));
  Snapshots snapshots(options());
  for (uint64_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(checkpoint(*store, {{"m", std::to_string(i)}, {"p1", "x"}}));
    const auto made = snapshots.create(*store, kNow);
    ASSERT_TRUE(made) << error_text(made);
    EXPECT_EQ(made->warning, "");
  }
  const auto listed = snapshots.list().value();
  EXPECT_EQ(sequences(listed), (std::vector<uint64_t>{5, 4, 3}));
  uint64_t bytes = 0;
  for (const auto& path : files()) bytes += std::filesystem::file_size(path);
  EXPECT_LT(bytes, 2 * listed.front().size_bytes);
  for (const Snapshot& one : listed) {
    ASSERT_TRUE(snapshots.restore(one.id, state("b")));
    EXPECT_EQ(contents("b").at("m"), std::to_string(one.record.info.sequence));
    std::filesystem::remove_all(state("b"));
  }
}

TEST_F(SnapshotTest, TheSameCheckpointIsNotCopiedTwice) {
  auto store = open("a");
  ASSERT_TRUE(checkpoint(*store, pages_of(1)));
  Snapshots snapshots(options());
  const auto first = snapshots.create(*store, kNow);
  ASSERT_TRUE(first) << error_text(first);
  const auto again = snapshots.create(*store, kNow + Duration(1));
  ASSERT_TRUE(again) << error_text(again);
  EXPECT_FALSE(again->is_new);
  EXPECT_EQ(again->snapshot.id, first->snapshot.id);
  EXPECT_EQ(snapshots.list()->size(), 1u);
}

TEST_F(SnapshotTest, ARestartedWriterGoesOnInItsGeneration) {
  auto store = open("a");
  ASSERT_TRUE(checkpoint(*store, pages_of(1)));
  ASSERT_TRUE(Snapshots(options()).create(*store, kNow));
  store.reset();
  store = open("a");
  ASSERT_TRUE(checkpoint(*store, pages_of(2)));
  ASSERT_TRUE(Snapshots(options()).create(*store, kNow));
  EXPECT_EQ(generations().size(), 1u);
  EXPECT_EQ(sequences(Snapshots(options()).list().value()), (std::vector<uint64_t>{2, 1}));
}

TEST_F(SnapshotTest, ANewOwnerAndAZombieEachWriteTheirOwnAndTheNewestIsByCommit) {
  auto zombie = open("a");
  ASSERT_TRUE(checkpoint(*zombie, pages_of(1)));
  Snapshots of_zombie(options()), of_owner(options());
  const auto made = of_zombie.create(*zombie, kNow);
  ASSERT_TRUE(made) << error_text(made);
  ASSERT_TRUE(of_owner.restore(made->snapshot.id, state("b")));
  auto owner = open("b");
  ASSERT_TRUE(checkpoint(*owner, pages_of(3)));
  ASSERT_TRUE(of_owner.create(*owner, kNow));
  ASSERT_TRUE(checkpoint(*zombie, pages_of(2)));
  ASSERT_TRUE(of_zombie.create(*zombie, kNow + Duration(60'000)));
  EXPECT_EQ(generations().size(), 2u);
  const auto listed = of_owner.list().value();
  EXPECT_EQ(sequences(listed), (std::vector<uint64_t>{3, 2, 1}));
  ASSERT_TRUE(of_owner.restore(listed.front().id, state("c")));
  EXPECT_EQ(contents("c"), scan_all(*owner).value());
}

TEST_F(SnapshotTest, AnotherGenerationGoesWhenAllOfItIsOlderAndNeverWhileItHasSomethingNewer) {
  auto old = open("a");
  Snapshots of_old(options()), of_new(options());
  for (uint64_t i = 1; i <= 2; ++i) {
    ASSERT_TRUE(checkpoint(*old, pages_of(i)));
    ASSERT_TRUE(of_old.create(*old, kNow));
  }
  auto fresh = open("b");
  const auto make = [&](Snapshots& by, RocksStore& store, uint64_t sequence) {
    EXPECT_TRUE(checkpoint(store, pages_of(sequence)));
    const auto made = by.create(store, kNow);
    EXPECT_TRUE(made) << error_text(made);
    EXPECT_EQ(made->warning, "");
  };
  for (const uint64_t i : {2, 4}) make(of_new, *fresh, i);
  EXPECT_EQ(generations().size(), 2u);
  make(of_new, *fresh, 5);
  EXPECT_EQ(generations().size(), 2u) << "its newest is not older than our oldest";
  make(of_new, *fresh, 6);
  EXPECT_EQ(generations().size(), 1u);
  EXPECT_EQ(sequences(of_new.list().value()), (std::vector<uint64_t>{6, 5, 4}));
  // The zombie goes on behind: what is newer than its own stays, and it begins anew.
  for (const uint64_t i : {3, 4, 5, 6}) make(of_old, *old, i);
  EXPECT_EQ(generations().size(), 2u);
  EXPECT_EQ(of_new.list()->front().record.info.sequence, 6u);
}

TEST_F(SnapshotTest, AGenerationWithoutASnapshotGoesOnceItNoLongerGrows) {
  auto store = open("a");
  Snapshots snapshots(options());
  std::filesystem::create_directories(shard() + "/someone/private/1");
  write_file(shard() + "/someone/private/1/half", "x");
  std::string growing = "x";
  for (uint64_t i = 1; i <= 6; ++i) {
    ASSERT_TRUE(checkpoint(*store, pages_of(i)));
    write_file(shard() + "/someone/private/1/half", growing += 'x');
    ASSERT_TRUE(snapshots.create(*store, kNow));
  }
  EXPECT_EQ(generations().size(), 2u);
  for (uint64_t i = 7; i <= 9; ++i) {
    EXPECT_EQ(generations().size(), 2u);
    ASSERT_TRUE(checkpoint(*store, pages_of(i)));
    ASSERT_TRUE(snapshots.create(*store, kNow));
  }
  EXPECT_EQ(generations().size(), 1u);
}

TEST_F(SnapshotTest, RemnantsOfARemovalAreNotListedAndGo) {
  auto store = open("a");
  ASSERT_TRUE(checkpoint(*store, pages_of(1)));
  Snapshots snapshots(options());
  ASSERT_TRUE(snapshots.create(*store, kNow));
  std::filesystem::copy(shard() + "/" + generations().front(), shard() + "/x.removing", std::filesystem::copy_options::recursive);
  EXPECT_EQ(snapshots.list()->size(), 1u);
  ASSERT_TRUE(checkpoint(*store, pages_of(2)));
  ASSERT_TRUE(snapshots.create(*store, kNow));
  EXPECT_EQ(generations().size(), 1u);
}

TEST_F(SnapshotTest, ASecondWriterWithACopyOfTheStateDirectoryIsRefused) {
  auto store = open("a");
  ASSERT_TRUE(checkpoint(*store, pages_of(1)));
  Snapshots snapshots(options());
  ASSERT_TRUE(snapshots.create(*store, kNow));
  rocksdb::FileLock* lock = nullptr;
  const std::string path = shard() + "/" + generations().front() + "/LOCK";
  ASSERT_TRUE(rocksdb::Env::Default()->LockFile(path, &lock).ok());
  const auto refused = snapshots.create(*store, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorClass::kUsage);
  ASSERT_TRUE(rocksdb::Env::Default()->UnlockFile(lock).ok());
  EXPECT_TRUE(snapshots.create(*store, kNow));
}

TEST_F(SnapshotTest, ARestoreNeedsAnEmptyPlaceAndASnapshotThatIsThere) {
  auto store = open("a");
  ASSERT_TRUE(checkpoint(*store, pages_of(1)));
  Snapshots snapshots(options());
  const auto made = snapshots.create(*store, kNow);
  ASSERT_TRUE(made) << error_text(made);
  std::filesystem::create_directory(state("b"));
  write_file(state("b/file"), "x");
  EXPECT_EQ(snapshots.restore(made->snapshot.id, state("b")).error().kind, ErrorClass::kUsage);
  std::filesystem::remove(state("b/file"));
  for (const char* id : {"", "/1", "x", "x/", "x/0", "x/1y", "../1", "./1"})
    EXPECT_EQ(snapshots.restore(id, state("b")).error().kind, ErrorClass::kUsage) << id;
  for (const std::string& id : {std::string("x/1"), made->snapshot.id + "7"})
    EXPECT_EQ(snapshots.restore(id, state("b")).error().kind, ErrorClass::kRetry) << id;
  EXPECT_TRUE(std::filesystem::is_empty(state("b")));
  EXPECT_TRUE(snapshots.restore(made->snapshot.id, state("b")));
}

TEST_F(SnapshotTest, WithoutACheckpointOrAMetaThereIsNoSnapshot) {
  auto store = open("a");
  Snapshots snapshots(options());
  EXPECT_EQ(snapshots.create(*store, kNow).error().kind, ErrorClass::kRetry);
  ASSERT_TRUE(checkpoint(*store, {{"m", "what is this"}}));
  EXPECT_EQ(error_text(snapshots.create(*store, kNow)), "no number");
  EXPECT_TRUE(snapshots.list()->empty());
  EXPECT_FALSE(std::filesystem::exists(state("a/snapshot")));
}

TEST_F(SnapshotTest, AVolumeThatIsAwayIsAnErrorThatMayPass) {
  auto store = open("a");
  ASSERT_TRUE(checkpoint(*store, pages_of(1)));
  Snapshots snapshots(options());
  ASSERT_TRUE(snapshots.list()) << "nothing there yet";
  std::filesystem::rename(volume(), root / "elsewhere");
  EXPECT_EQ(snapshots.create(*store, kNow).error().kind, ErrorClass::kRetry);
  EXPECT_EQ(snapshots.list().error().kind, ErrorClass::kRetry);
  EXPECT_EQ(snapshots.restore("x/1", state("b")).error().kind, ErrorClass::kRetry);
  EXPECT_FALSE(std::filesystem::exists(volume()));
  std::filesystem::rename(root / "elsewhere", volume());
  EXPECT_TRUE(snapshots.create(*store, kNow));
}

TEST_F(SnapshotTest, AfterCancelNothingBegins) {
  auto store = open("a");
  ASSERT_TRUE(checkpoint(*store, pages_of(1)));
  Snapshots snapshots(options());
  ASSERT_TRUE(snapshots.create(*store, kNow));
  snapshots.cancel();
  EXPECT_EQ(snapshots.create(*store, kNow).error().kind, ErrorClass::kRetry);
  EXPECT_EQ(snapshots.list().error().kind, ErrorClass::kRetry);
}

// The owner reads, seals and installs while another thread makes snapshots: each of them is one whole checkpoint, with the info of just that one.
TEST_F(SnapshotTest, SnapshotsMadeBesideTheOwnerAreEachOneCheckpoint) {
  auto store = open("a", /*in_background=*/true);
  ASSERT_TRUE(checkpoint(*store, pages_of(1)));
  Snapshots snapshots(options());
  std::atomic<bool> done = false;
  std::atomic<int> made = 0;
  std::thread beside([&] {
    while (!done && !HasFatalFailure()) {
      const auto one = snapshots.create(*store, kNow);
      ASSERT_TRUE(one) << error_text(one);
      made += one->is_new;
    }
  });
  for (uint64_t i = 2; (i <= 60 || made < 5) && !HasFailure(); ++i) {
    ASSERT_TRUE(checkpoint(*store, pages_of(i)));
    std::optional<std::string> meta;
    const std::string_view key = "m";
    ASSERT_TRUE(store->load({&key, 1}, [&](size_t, std::optional<std::string_view> value) { meta = value; }));
    ASSERT_EQ(meta, std::to_string(i));
  }
  done = true;
  beside.join();
  const auto listed = snapshots.list().value();
  ASSERT_EQ(listed.size(), 3u);
  for (const Snapshot& one : listed) {
    ASSERT_TRUE(snapshots.restore(one.id, state("b")));
    const Contents all = contents("b");
    EXPECT_EQ(one.record.checkpoint, one.record.info.sequence);
    for (const auto& [key, value] : pages_of(one.record.info.sequence)) ASSERT_EQ(all.at(key), value) << key;
    ASSERT_EQ(all.count("q" + std::to_string(one.record.info.sequence + 1)), 0u);
    std::filesystem::remove_all(state("b"));
  }
}

// The same while installs fail, after which the owner opens its database anew.
TEST_F(SnapshotTest, SnapshotsGoOnWhileTheOwnerOpensItsDatabaseAnew) {
  std::atomic<uint64_t> records = 0;
  GuardedEnv failing(rocksdb::Env::Default(), std::make_shared<HookedFiles>([&](const std::string& operation, const std::string& path) {
                       const bool is_install = operation == "append" && path.starts_with(state("a/MANIFEST"));
                       return is_install && ++records % 7 == 0 ? rocksdb::IOStatus::IOError("injected") : rocksdb::IOStatus::OK();
                     }));
  RocksOptions with;
  with.path = state("a");
  with.env = &failing;
  auto store = RocksStore::open(with).value();
  ASSERT_TRUE(checkpoint(*store, pages_of(1)));
  Snapshots snapshots(options());
  std::atomic<bool> done = false;
  std::atomic<int> made = 0;
  std::thread beside([&] {
    while (!done) {
      if (const auto one = snapshots.create(*store, kNow)) made += one->is_new;
    }
  });
  int failed = 0;
  for (uint64_t i = 2; i <= 60 || made < 5; ++i) {
    for (const auto& [key, value] : pages_of(i)) store->put(key, value);
    for (bool installed = false; !installed; failed += !installed) {
      store->seal();
      installed = store->install().has_value();
    }
  }
  done = true;
  beside.join();
  EXPECT_GT(failed, 3);
  const auto listed = snapshots.list().value();
  ASSERT_EQ(listed.size(), 3u);
  for (const Snapshot& one : listed) {
    ASSERT_TRUE(snapshots.restore(one.id, state("b")));
    const Contents all = contents("b");
    for (const auto& [key, value] : pages_of(one.record.info.sequence)) ASSERT_EQ(all.at(key), value) << key;
    std::filesystem::remove_all(state("b"));
  }
}

}  // namespace
}  // namespace segue::rocks
