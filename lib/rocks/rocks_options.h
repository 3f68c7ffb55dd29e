// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace rocksdb {
class Cache;
class Env;
}  // namespace rocksdb

namespace segue::rocks {

// A cache of blocks that several stores of one process share. Their indexes and filters are counted against it, in steps of 256 KiB a store.
std::shared_ptr<rocksdb::Cache> make_block_cache(size_t bytes);

struct RocksOptions {
  // The directory of this shard's state; made when absent, its parent must exist.
  std::string path;
  // Shared by all shards of a process. Empty: an own one of block_cache_bytes.
  std::shared_ptr<rocksdb::Cache> block_cache;
  size_t block_cache_bytes = 64 << 20;
  // Threads for compaction, shared by all stores of the process.
  int background_threads = 1;
  // Sorts and writes a sealed checkpoint on a thread of its own. False: inside seal(), so that a simulation is repeatable.
  bool write_in_background = true;
  // False: only compact() merges files, for the same reason.
  bool compact_in_background = true;
  // Opens what another process may be writing: sees the checkpoint that is installed at that moment, writes nothing, takes no lock.
  bool read_only = false;
  // The door to the disk; outlives the store. Null: the machine's own.
  rocksdb::Env* env = nullptr;
};

}  // namespace segue::rocks
