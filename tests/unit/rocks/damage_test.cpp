// SPDX-License-Identifier: Apache-2.0
// Damage in any file is an error at open, at scan, at load or at verify; never a wrong value.
#include <gtest/gtest.h>

#include "tests/unit/rocks/simulated_store.h"

namespace segue::rocks {
namespace {

// Two files a level: one checkpoint compacted, three on top of it.
std::unique_ptr<simulation::SimulatedDisk> make_disk(Contents& contents) {
  SimulatedStore store;
  EXPECT_TRUE(store.open());
  for (int number = 1; number <= 4; ++number) {
    Contents changed{{"m", std::to_string(number)}};
    for (int i = 0; i < 30; ++i) changed["p" + std::to_string(i * number)] = std::to_string(i) + std::string(40, static_cast<char>('a' + number));
    EXPECT_TRUE(checkpoint(*store.store, changed));
    if (number == 2) {
      EXPECT_TRUE(store.store->compact());
    }
    for (const auto& [key, value] : changed) contents[key] = value;
  }
  store.store.reset();
  return store.disk->copy();
}

struct Outcome {
  bool wrong = false;
  std::string error;  // the first one; empty when everything read as it was written
};

Outcome read_everything(std::unique_ptr<simulation::SimulatedDisk> disk, const Contents& contents) {
  SimulatedStore damaged(std::move(disk));
  if (const auto opened = damaged.open(); !opened) return {false, opened.error().message};
  const auto scanned = scan_all(*damaged.store);
  if (!scanned) return {false, scanned.error().message};
  Outcome outcome{*scanned != contents, {}};
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : contents) keys.push_back(key);
  const auto loaded = damaged.store->load(
      keys, [&](size_t i, std::optional<std::string_view> value) { outcome.wrong |= value != contents.at(std::string(keys[i])); });
  if (!loaded) outcome.error = loaded.error().message;
  const auto verified = damaged.store->verify();
  if (loaded && !verified) outcome.error = verified.error().message;
  return outcome;
}

bool matters(const std::string& path) { return path.find("OPTIONS") == std::string::npos && path.find("IDENTITY") == std::string::npos; }

TEST(Damage, AFlippedBitInAnyFileIsNoticedOrHarmless) {
  Contents contents;
  const auto good = make_disk(contents);
  ASSERT_EQ(read_everything(good->copy(), contents).error, "");
  size_t flips = 0, noticed = 0;
  for (const std::string& path : good->paths()) {
    const std::string bytes = good->contents(path);
    for (size_t at = 0; at<bytes.size(); at += bytes.size()> 1500 && matters(path) ? 3 : matters(path) ? 1 : 50) {
      std::string bad = bytes;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at * 5 % 8)));
      auto disk = good->copy();
      disk->replace(path, bad);
      const Outcome outcome = read_everything(std::move(disk), contents);
      ASSERT_FALSE(outcome.wrong) << path << " byte " << at << ": " << outcome.error;
      ++flips;
      noticed += !outcome.error.empty();
    }
  }
  EXPECT_GT(flips, 1'000u);
  EXPECT_GT(noticed * 10, flips * 8) << noticed << " of " << flips;
}

TEST(Damage, AFileCutAnywhereIsNoticedOrHarmless) {
  Contents contents;
  const auto good = make_disk(contents);
  size_t cuts = 0, noticed = 0;
  for (const std::string& path : good->paths()) {
    if (!matters(path)) continue;
    const std::string bytes = good->contents(path);
    for (size_t size = 0; size<bytes.size(); size += bytes.size()> 500 ? 11 : 1) {
      auto disk = good->copy();
      disk->replace(path, bytes.substr(0, size));
      const Outcome outcome = read_everything(std::move(disk), contents);
      ASSERT_FALSE(outcome.wrong) << path << " cut to " << size << ": " << outcome.error;
      ++cuts;
      noticed += !outcome.error.empty();
    }
  }
  EXPECT_GT(noticed * 10, cuts * 9) << noticed << " of " << cuts;
}

TEST(Damage, AMissingFileIsNoticed) {
  Contents contents;
  const auto good = make_disk(contents);
  for (const std::string& path : good->paths()) {
    if (path.find(".sst") == std::string::npos && path.find("MANIFEST") == std::string::npos && path.find("CURRENT") == std::string::npos) continue;
    auto disk = good->copy();
    disk->remove(path);
    const Outcome outcome = read_everything(std::move(disk), contents);
    EXPECT_FALSE(outcome.wrong) << path;
    EXPECT_NE(outcome.error, "") << path;
  }
}

TEST(Damage, AnErrorNamesTheFile) {
  Contents contents;
  const auto good = make_disk(contents);
  for (const std::string& path : good->paths()) {
    if (!path.ends_with(".sst")) continue;
    auto disk = good->copy();
    std::string bytes = good->contents(path);
    bytes[10] = static_cast<char>(bytes[10] ^ 1);
    disk->replace(path, bytes);
    SimulatedStore damaged(std::move(disk));
    auto verified = damaged.open();
    if (verified) verified = damaged.store->verify();
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().kind, ErrorClass::kData);
    EXPECT_NE(verified.error().message.find(path.substr(path.rfind('/') + 1)), std::string::npos) << verified.error().message;
  }
}

}  // namespace
}  // namespace segue::rocks
