// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "lib/rocks/snapshots.h"
#include "tests/unit/rocks/hooked_files.h"
#include "tests/unit/rocks/simulated_store.h"

namespace segue::rocks {

// In these tests the meta is the sequence of the last commit, and the position follows from it.
inline Result<SnapshotInfo> describe_number(std::string_view meta) {
  SnapshotInfo info{.definitions = "d", .program = "v"};
  for (const char digit : meta) {
    if (digit < '0' || digit > '9') return fail(ErrorClass::kData, "no number");
    info.sequence = 10 * info.sequence + static_cast<uint64_t>(digit - '0');
  }
  info.position.offset = 100 * info.sequence;
  return info;
}

// Every page names its checkpoint, so that a mix of two is seen. Some keys come seldom, so that old files stay in use.
inline Contents pages_of(uint64_t number, int pages = 200) {
  Contents changed{{"m", std::to_string(number)}};
  for (int i = 0; i < pages; ++i) changed["p" + std::to_string(i)] = std::to_string(number) + std::string(100, static_cast<char>('a' + number % 26));
  changed["q" + std::to_string(number)] = "once";
  return changed;
}

// Real files: a volume, and room for state directories beside.
struct SnapshotTest : testing::Test {
  SnapshotTest() {
    std::string name = (std::filesystem::temp_directory_path() / "segue_snapshots_XXXXXX").string();
    root = mkdtemp(name.data());
    std::filesystem::create_directory(volume());
  }
  ~SnapshotTest() override {
    std::filesystem::permissions(volume(), std::filesystem::perms::owner_all);
    std::filesystem::remove_all(root);
  }

  std::string volume() const { return root / "volume"; }
  std::string shard() const { return root / "volume/app/0"; }
  std::string state(const std::string& name) const { return root / name; }

  SnapshotOptions options() {
    return {.volume = volume(), .shard = "app/0", .keep = 3, .describe = describe_number, .env = &unsynced, .state_env = &unsynced};
  }
  std::unique_ptr<RocksStore> open(const std::string& name, bool in_background = false) {
    RocksOptions with;
    with.path = state(name);
    with.block_cache_bytes = 1 << 20;
    with.write_in_background = in_background;
    with.compact_in_background = in_background;
    with.env = &unsynced;
    auto opened = RocksStore::open(with);
    EXPECT_TRUE(opened) << error_text(opened);
    return opened ? std::move(*opened) : nullptr;
  }
  Contents contents(const std::string& name) {
    const auto store = open(name);
    if (!store) return {};
    EXPECT_TRUE(store->verify());
    return scan_all(*store).value();
  }
  // Every file below the volume.
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(volume()))
      if (entry.is_regular_file()) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  std::vector<std::string> generations() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(shard())) found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }

  std::filesystem::path root;
  // These tests kill processes, not machines: what is written is there without a sync, and they are many times as fast.
  GuardedEnv unsynced{rocksdb::Env::Default(),
                      std::make_shared<HookedFiles>([](const char*, const std::string&) { return rocksdb::IOStatus::OK(); })};
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace segue::rocks
