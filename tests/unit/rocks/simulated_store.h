// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/rocks/rocks_store.h"
#include "tests/simulation/simulated_disk.h"
#include "tests/simulation/simulated_file_system.h"

namespace segue::rocks {

using Contents = std::map<std::string, std::string>;

// A store on a disk in memory, with nothing running beside the test.
struct SimulatedStore {
  explicit SimulatedStore(std::unique_ptr<simulation::SimulatedDisk> with = std::make_unique<simulation::SimulatedDisk>())
      : disk(std::move(with)), env(simulation::make_simulated_env(*disk)) {}

  Result<> open() {
    RocksOptions options;
    options.path = "/state";
    options.block_cache_bytes = 1 << 20;
    options.write_in_background = false;
    options.compact_in_background = false;
    options.env = env.get();
    store.reset();
    auto opened = RocksStore::open(options);
    if (!opened) return tl::unexpected<Error>(std::move(opened).error());
    store = std::move(*opened);
    return {};
  }

  std::unique_ptr<simulation::SimulatedDisk> disk;
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<RocksStore> store;
};

inline Result<> checkpoint(RocksStore& store, const Contents& changed, const std::vector<std::string>& removed = {}) {
  for (const auto& [key, value] : changed) store.put(key, value);
  for (const std::string& key : removed) store.remove(key);
  store.seal();
  return store.install();
}

inline Result<Contents> scan_all(RocksStore& store, std::string_view prefix = "") {
  Contents contents;
  SEGUE_TRY(store.scan(prefix, [&](std::string_view key, std::string_view value) -> Result<> {
    contents.emplace(key, value);
    return {};
  }));
  return contents;
}

inline std::string error_text(const auto& result) { return result ? std::string("no error") : result.error().message; }

}  // namespace segue::rocks
