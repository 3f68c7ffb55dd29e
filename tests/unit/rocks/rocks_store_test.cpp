// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/rocks_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "tests/unit/rocks/simulated_store.h"

namespace segue::rocks {
namespace {

// Real files in a directory of its own, background thread and compaction on, as the program runs it.
struct RocksStoreTest : testing::Test {
  RocksStoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "segue_rocks_XXXXXX").string();
    options.path = std::string(mkdtemp(name.data())) + "/state";
    options.block_cache_bytes = 1 << 20;
  }
  ~RocksStoreTest() override {
    store.reset();
    std::filesystem::remove_all(std::filesystem::path(options.path).parent_path());
  }
  void open() {
    store.reset();
    auto opened = RocksStore::open(options);
    ASSERT_TRUE(opened) << opened.error().message;
    store = std::move(*opened);
  }
  std::vector<std::optional<std::string>> load(const std::vector<std::string_view>& keys) {
    std::vector<std::optional<std::string>> values(keys.size(), "not visited");
    const auto result = store->load(keys, [&](size_t i, std::optional<std::string_view> value) {
      EXPECT_EQ(values[i], "not visited");
      values[i] = value;
    });
    EXPECT_TRUE(result) << error_text(result);
    return values;
  }

  RocksOptions options;
  std::unique_ptr<RocksStore> store;
};

using Values = std::vector<std::optional<std::string>>;

TEST_F(RocksStoreTest, ANewStateIsEmpty) {
  open();
  EXPECT_EQ(scan_all(*store).value(), Contents());
  EXPECT_EQ(load({"m", "p1"}), (Values{std::nullopt, std::nullopt}));
  EXPECT_EQ(store->installed(), 0u);
}

TEST_F(RocksStoreTest, ACheckpointIsVisibleOnlyOnceItIsInstalled) {
  open();
  store->put("p1", "a");
  EXPECT_EQ(load({"p1"}), Values{std::nullopt});
  store->seal();
  while (!store->written().value()) std::this_thread::yield();
  EXPECT_EQ(load({"p1"}), Values{std::nullopt});
  EXPECT_EQ(store->collected_bytes(), 3u);
  ASSERT_TRUE(store->install());
  EXPECT_EQ(load({"p1"}), Values{"a"});
  EXPECT_EQ(store->collected_bytes(), 0u);
}

TEST_F(RocksStoreTest, AnInstalledCheckpointIsThereAfterReopening) {
  open();
  ASSERT_TRUE(checkpoint(*store, {{"m", "1"}, {"p1", "a"}, {"p2", "b"}, {"t1", ""}}));
  ASSERT_TRUE(checkpoint(*store, {{"m", "2"}, {"p2", "c"}}, {"p1", "never-there"}));
  store->put("p3", "lost: never installed");
  open();
  EXPECT_EQ(scan_all(*store).value(), (Contents{{"m", "2"}, {"p2", "c"}, {"t1", ""}}));
  EXPECT_EQ(store->installed(), 2u);
}

TEST_F(RocksStoreTest, ACheckpointWithoutEntriesIsACheckpoint) {
  open();
  ASSERT_TRUE(checkpoint(*store, {}));
  ASSERT_TRUE(checkpoint(*store, {{"m", "1"}}));
  open();
  EXPECT_EQ(store->installed(), 2u);
  EXPECT_EQ(scan_all(*store).value(), (Contents{{"m", "1"}}));
}

TEST_F(RocksStoreTest, LoadAnswersEachIndexOnceInWhateverOrderTheKeysCome) {
  open();
  Contents pages;
  for (int i = 0; i < 3'000; ++i) pages["p" + std::to_string(i)] = std::string(100, static_cast<char>('a' + i % 26));
  ASSERT_TRUE(checkpoint(*store, pages));
  std::vector<std::string> keys;
  for (int i = 3'999; i >= 0; --i) keys.push_back("p" + std::to_string(i));
  keys.push_back("p17");
  keys.push_back("p17");
  const auto values = load(std::vector<std::string_view>(keys.begin(), keys.end()));
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto expected = pages.find(keys[i]);
    ASSERT_EQ(values[i], expected == pages.end() ? std::nullopt : std::optional(expected->second)) << keys[i];
  }
  EXPECT_EQ(load({}), Values());
}

TEST_F(RocksStoreTest, AScanVisitsItsPrefixInByteOrder) {
  open();
  const Contents all{{"p\x01", "0"}, {"p\x7f", "1"}, {"p\xff", "2"}, {"p\xff\xff", "3"}, {"p", "4"}, {"q", "5"}, {"o\xff", "6"}, {"\xff\xff", "7"}};
  ASSERT_TRUE(checkpoint(*store, all));
  std::vector<std::string> keys;
  const auto note = [&](std::string_view key, std::string_view) -> Result<> { return keys.emplace_back(key), Result<>(); };
  ASSERT_TRUE(store->scan("p", note));
  EXPECT_EQ(keys, (std::vector<std::string>{"p", "p\x01", "p\x7f", "p\xff", "p\xff\xff"}));
  keys.clear();
  ASSERT_TRUE(store->scan("\xff", note));
  EXPECT_EQ(keys, std::vector<std::string>{"\xff\xff"});
  EXPECT_EQ(scan_all(*store).value(), all);
}

TEST_F(RocksStoreTest, ScansOfSeveralThreadsTogetherSeeEveryKeyOnce) {
  open();
  std::vector<Contents> parts(4), seen(4);
  for (int run = 0; run < 3; ++run) {
    Contents changed;
    for (int i = run; i < 4'000; i += run + 1) {
      const std::string key{'p', static_cast<char>(i % 4), static_cast<char>(i / 4 % 256)};
      changed[key + std::to_string(i)] = parts[static_cast<size_t>(i % 4)][key + std::to_string(i)] = std::to_string(run);
    }
    ASSERT_TRUE(checkpoint(*store, changed));
  }
  std::vector<std::thread> threads;
  for (size_t part = 0; part < 4; ++part)
    threads.emplace_back([&, part] { seen[part] = scan_all(*store, std::string{'p', static_cast<char>(part)}).value(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen, parts);
}

TEST_F(RocksStoreTest, AScanStopsAtTheVisitorsError) {
  open();
  ASSERT_TRUE(checkpoint(*store, {{"a", ""}, {"b", ""}}));
  int visited = 0;
  const auto result = store->scan("", [&](std::string_view, std::string_view) { return ++visited, Result<>(fail(ErrorClass::kData, "mine")); });
  EXPECT_EQ(error_text(result), "mine");
  EXPECT_EQ(visited, 1);
}

TEST_F(RocksStoreTest, ManyCheckpointsEqualAModelBeforeAndAfterCompaction) {
  open();
  Contents model;
  uint32_t random = 1;
  const auto draw = [&](uint32_t limit) { return (random = random * 1664525 + 1013904223) / 65536 % limit; };
  for (int number = 0; number < 30; ++number) {
    for (int i = 0; i < 200; ++i) {
      const std::string key = "p" + std::to_string(draw(500));
      if (draw(4) == 0) {
        store->remove(key), model.erase(key);
      } else {
        store->put(key, model[key] = std::to_string(draw(60'000)));
      }
    }
    store->seal();
    ASSERT_TRUE(store->install());
    ASSERT_EQ(scan_all(*store).value(), model);
  }
  ASSERT_TRUE(store->compact());
  EXPECT_EQ(scan_all(*store).value(), model);
  EXPECT_TRUE(store->verify());
  open();
  EXPECT_EQ(scan_all(*store).value(), model);
  EXPECT_EQ(store->installed(), 30u);
}

TEST_F(RocksStoreTest, ASecondWriterIsRefusedAndToldWhy) {
  open();
  const auto second = RocksStore::open(options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorClass::kUsage);
  EXPECT_NE(second.error().message.find("in use by another process"), std::string::npos) << second.error().message;
}

TEST_F(RocksStoreTest, AReaderSeesTheInstalledCheckpointWhileAWriterGoesOn) {
  open();
  ASSERT_TRUE(checkpoint(*store, {{"p1", "a"}}));
  store->put("p1", "b");
  store->seal();
  RocksOptions reading = options;
  reading.read_only = true;
  const auto names = [&] {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(options.path)) ++count;
    return count;
  };
  while (!store->written().value()) std::this_thread::yield();
  const size_t files = names();
  auto reader = RocksStore::open(reading);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(names(), files) << "a reader writes nothing";
  EXPECT_EQ(scan_all(**reader).value(), (Contents{{"p1", "a"}}));
  ASSERT_TRUE(store->install());
  ASSERT_TRUE(store->compact());
  EXPECT_EQ(scan_all(**reader).value(), (Contents{{"p1", "a"}})) << "its files stay readable";
  auto later = RocksStore::open(reading);
  ASSERT_TRUE(later) << later.error().message;
  EXPECT_EQ(scan_all(**later).value(), (Contents{{"p1", "b"}}));
}

TEST_F(RocksStoreTest, ReadersCanOpenAtAnyMomentOfManyCheckpoints) {
  open();
  ASSERT_TRUE(checkpoint(*store, {{"m", "0"}}));
  std::atomic<bool> done = false;
  std::string failure;
  std::thread readers([&] {
    RocksOptions reading = options;
    reading.read_only = true;
    while (!done && failure.empty()) {
      const auto reader = RocksStore::open(reading);
      if (!reader) failure = reader.error().message;
      if (reader && scan_all(**reader).value().size() != 1) failure = "wrong contents";
    }
  });
  for (int i = 1; i < 100; ++i) ASSERT_TRUE(checkpoint(*store, {{"m", std::to_string(i)}}));
  done = true;
  readers.join();
  EXPECT_EQ(failure, "");
}

TEST_F(RocksStoreTest, AReaderOfNothingIsToldSo) {
  options.read_only = true;
  const auto reader = RocksStore::open(options);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().kind, ErrorClass::kUsage);
  EXPECT_FALSE(std::filesystem::exists(options.path));
}

TEST_F(RocksStoreTest, WhatACrashLeftBesideIsRemovedAtOpen) {
  open();
  ASSERT_TRUE(checkpoint(*store, {{"m", "1"}}));
  store.reset();
  const std::string left = options.path + "/sealed-9.sst";
  std::filesystem::copy_file(options.path + "/CURRENT", left);
  open();
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_EQ(scan_all(*store).value(), (Contents{{"m", "1"}}));
}

TEST_F(RocksStoreTest, LinksOfACheckpointAreRemovedAtOpen) {
  open();
  ASSERT_TRUE(checkpoint(*store, {{"m", "1"}}));
  const auto linked = store->link();
  ASSERT_TRUE(linked) << error_text(linked);
  ASSERT_TRUE(std::filesystem::exists(linked->directory + "/CURRENT"));
  std::filesystem::create_directory(linked->directory + ".tmp");
  open();
  EXPECT_FALSE(std::filesystem::exists(linked->directory));
  EXPECT_FALSE(std::filesystem::exists(linked->directory + ".tmp"));
  EXPECT_EQ(scan_all(*store).value(), (Contents{{"m", "1"}}));
}

TEST_F(RocksStoreTest, AStoreClosedWhileItWritesIsWhole) {
  open();
  ASSERT_TRUE(checkpoint(*store, {{"m", "1"}}));
  for (int i = 0; i < 20'000; ++i) store->put("p" + std::to_string(i), std::string(100, 'x'));
  store->seal();
  open();
  EXPECT_EQ(scan_all(*store).value(), (Contents{{"m", "1"}}));
}

TEST_F(RocksStoreTest, IndexesAndFiltersOfAllStoresCountAgainstTheSharedCache) {
  options.block_cache = make_block_cache(16 << 20);
  open();
  const uint64_t empty = store->statistics().block_cache_bytes;
  ASSERT_TRUE(checkpoint(*store, {{"m", "1"}}));
  const uint64_t one = store->statistics().block_cache_bytes;
  EXPECT_GE(one, empty + (256 << 10));
  RocksOptions second = options;
  second.path += "-second";
  const auto other = RocksStore::open(second).value();
  ASSERT_TRUE(checkpoint(*other, {{"m", "1"}}));
  EXPECT_GE(other->statistics().block_cache_bytes, one + (256 << 10));
}

TEST_F(RocksStoreTest, StatisticsTellOfReadsAndFiles) {
  open();
  Contents pages;
  for (int i = 0; i < 10'000; ++i) pages["p" + std::to_string(i)] = std::string(100, static_cast<char>(i));
  ASSERT_TRUE(checkpoint(*store, pages));
  load({"p1"});
  load({"p1"});
  const StoreStatistics figures = store->statistics();
  EXPECT_GT(figures.block_cache_hits, 0u);
  EXPECT_GT(figures.block_cache_misses, 0u);
  EXPECT_GT(figures.live_sst_bytes, 10'000u);
  EXPECT_GT(figures.bytes_written, 10'000u);
  EXPECT_EQ(figures.background_errors, 0u);
  EXPECT_FALSE(figures.stalled);
}

}  // namespace
}  // namespace segue::rocks
