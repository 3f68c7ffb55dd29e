// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/pipeline/store.h"
#include "lib/rocks/rocks_options.h"

namespace segue::rocks {

// A moment's figures, cheap to take; by the owner's thread.
struct StoreStatistics {
  uint64_t block_cache_hits = 0;  // since open, of all stores that share the cache through this store's reads
  uint64_t block_cache_misses = 0;
  uint64_t block_cache_bytes = 0;  // of the whole cache, with the indexes and filters of all stores that share it
  uint64_t pending_compaction_bytes = 0;
  uint64_t live_sst_bytes = 0;
  uint64_t total_sst_bytes = 0;  // with files that only a reader still holds
  uint64_t memtable_bytes = 0;
  uint64_t table_reader_bytes = 0;  // indexes and filters of this store, 4 to 8 bytes a user
  uint64_t level0_files = 0;
  uint64_t bytes_written = 0;  // by checkpoints and compaction since open
  uint64_t background_errors = 0;
  bool stalled = false;  // a checkpoint waits for compaction
};

// A checkpoint that stays as it is while the store goes on.
struct LinkedCheckpoint {
  std::string directory;    // in the state's; the next open of the store removes it when nobody else has
  std::string database_id;  // of the state directory that it was linked from
};

// One shard's state in RocksDB. Each checkpoint is one sorted file that is ingested: docs/formats/state.md, docs/adr/0003-checkpoint.md.
// Errors: kRetry when the disk is full (go on after space returns, nothing is lost), kData for damage, kUsage for a held lock, else kStop.
class RocksStore final : public pipeline::Store {
 public:
  static Result<std::unique_ptr<RocksStore>> open(const RocksOptions& options);
  ~RocksStore() override;

  Result<> load(std::span<const std::string_view> keys, const Found& found) override;
  // While the owner calls nothing else, other threads may scan too, each its own prefix: the first byte of the key group cuts the pages in four.
  Result<> scan(std::string_view prefix, const Visit& visit) override;
  void put(std::string_view key, std::string_view value) override;
  void remove(std::string_view key) override;
  size_t collected_bytes() const override;
  void seal() override;
  Result<bool> written() override;
  Result<> install() override;

  // Links the files of the last installed checkpoint to a directory of their own, instead of those of an earlier call. From any thread, beside the
  // owner, one at a time, as long as the store is there; the owner waits for it only when it has to open the database anew.
  Result<LinkedCheckpoint> link() const;
  const RocksOptions& options() const;

  // How many checkpoints were installed since the state was made.
  uint64_t installed() const;
  // Reads every block of every file and checks it.
  Result<> verify();
  // Merges everything into one sorted run and waits for it.
  Result<> compact();
  StoreStatistics statistics() const;

 private:
  class Database;
  explicit RocksStore(std::unique_ptr<Database> database);

  std::unique_ptr<Database> database_;
};

}  // namespace segue::rocks
