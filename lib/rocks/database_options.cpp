// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/database_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/statistics.h>
#include <rocksdb/table.h>

namespace segue::rocks {
namespace {

// Keeps RocksDB from writing LOG files, also into a directory that is only read: errors come back as values, figures as statistics.
class SilentLogger final : public rocksdb::Logger {
 public:
  SilentLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// Sorted runs before a merge. 4 costs a fifth more background CPU, 8 slows a read that misses the cache by a quarter.
constexpr int kMostRuns = 6;

std::shared_ptr<rocksdb::TableFactory> make_table_factory(const RocksOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = options.block_cache ? options.block_cache : make_block_cache(options.block_cache_bytes);
  // 8 KiB cost a single read a third more CPU and spare a merge almost nothing.
  table.block_size = 4096;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.checksum = rocksdb::ChecksumType::kXXH3;
  table.format_version = 5;
  // Indexes and filters, 4 to 8 bytes a user, count against the cache that all shards share, so that its size bounds both. They stay where they are:
  // as blocks in a small cache they push each other out, and a read costs a quarter more.
  table.cache_usage_options.options_overrides.insert(
      {rocksdb::CacheEntryRole::kBlockBasedTableReader, {.charged = rocksdb::CacheEntryRoleOptions::Decision::kEnabled}});
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

}  // namespace

std::shared_ptr<rocksdb::Cache> make_block_cache(size_t bytes) { return rocksdb::NewLRUCache(bytes); }

rocksdb::Options make_database_options(const RocksOptions& options) {
  rocksdb::Options db;
  db.env = options.env != nullptr ? options.env : rocksdb::Env::Default();
  db.create_if_missing = !options.read_only;
  db.paranoid_checks = true;
  db.info_log = std::make_shared<SilentLogger>();
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.statistics = rocksdb::CreateDBStatistics();
  db.statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
  db.table_factory = make_table_factory(options);
  db.max_background_jobs = options.background_threads;
  db.disable_auto_compactions = !options.compact_in_background;
  // Nothing is ever put into the memtable.
  db.write_buffer_size = 64 << 10;
  db.avoid_flush_during_shutdown = true;
  db.skip_stats_update_on_db_open = true;
  // All files stay open: a read-only reader keeps files that a compaction of the writer unlinks, and no read pays for opening one.
  db.max_open_files = -1;
  // After an error the caller decides when to go on (RocksStore resumes); no hidden retries.
  db.max_bgerror_resume_count = 0;
  // Strictly: whoever syncs a log on the same disk waits for what of a checkpoint is on its way there. A file of 150 MB kept the senders of events
  // waiting for 190 to 230 ms, so for 40 to 160.
  db.bytes_per_sync = 1 << 20;
  db.strict_bytes_per_sync = true;
  // A snapshot compares it when it copies a file: damage on this disk does not reach the volume.
  db.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();

  // Each checkpoint spans all keys, so it is a sorted run of its own: universal compaction merges runs of like size. Levels rewrote 1.4 times as much
  // at 10 M users.
  db.compaction_style = rocksdb::kCompactionStyleUniversal;
  db.level0_file_num_compaction_trigger = kMostRuns;
  // These two hold back writes to the memtable only; RocksStore itself waits when merging falls behind.
  db.level0_slowdown_writes_trigger = 1 << 20;
  db.level0_stop_writes_trigger = 1 << 20;
  db.target_file_size_base = 64 << 20;
  // Two thirds of a page are floats: lz4 saves a quarter of the space for half a microsecond a page.
  db.compression = rocksdb::kNoCompression;
  return db;
}

}  // namespace segue::rocks
