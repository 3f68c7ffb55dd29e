// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/statistics.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lib/base/assert.h"
#include "lib/base/bytes.h"
#include "lib/rocks/checkpoint_number.h"
#include "lib/rocks/collection.h"
#include "lib/rocks/database_options.h"
#include "lib/rocks/directories.h"
#include "lib/rocks/ingest_guard.h"
#include "lib/rocks/installed_file.h"
#include "lib/rocks/status.h"
#include "lib/rocks/table_check.h"

namespace segue::rocks {
namespace {

// Where link() puts the links, and RocksDB makes them.
constexpr std::string_view kLinks = "snapshot";
constexpr std::string_view kUnfinishedLinks = "snapshot.tmp";
// Every caller's key is at or after this.
constexpr std::string_view kFirstKey("\1", 1);
// One MultiGet: enough to make neighbours share a block, few enough that the pinned blocks stay small.
constexpr size_t kLoadChunk = 512;
// A scan reads ahead this much at a time; more brought nothing.
constexpr size_t kScanReadahead = 2 << 20;
// A checkpoint waits when compaction is this far behind: each file is one more place to look for a key.
constexpr uint64_t kMostLevel0Files = 20;
constexpr int kReadOnlyAttempts = 20;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }
bool ends_with(std::string_view text, std::string_view end) { return text.ends_with(end); }

// Remembers why RocksDB stopped its background work, and keeps it from going on by itself: the next install() opens the database anew.
class ErrorWatch final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    const std::lock_guard lock(mutex_);
    if (status_.ok()) status_ = *status;
    ++count_;
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override { *auto_recovery = false; }
  rocksdb::Status status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    status_ = rocksdb::Status::OK();
  }

 private:
  mutable std::mutex mutex_;
  rocksdb::Status status_;
  uint64_t count_ = 0;
};

// The first key after all that start with `prefix`; empty when there is none.
std::string end_of_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

// A directory with data but without CURRENT would be taken for a new, empty one, and its files for rubbish.
Result<bool> has_state(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> names;
  if (const rocksdb::Status status = env.GetChildren(path, &names); status.IsNotFound() || status.IsPathNotFound()) return false;
  bool has_data = false;
  for (const std::string& name : names) {
    if (name == "CURRENT") return true;
    has_data |= name == "INSTALLED" || (ends_with(name, ".sst") && !name.starts_with("sealed-"));
  }
  if (has_data) return fail(ErrorClass::kData, "opening " + path + ": missing file: CURRENT is gone, but there is data");
  return false;
}

Result<std::unique_ptr<rocksdb::DB>> open_database(const rocksdb::Options& options, const std::string& path, bool read_only) {
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  if (!read_only) {
    status = rocksdb::DB::Open(options, path, &db);
  } else {
    // The writer may unlink a file between our reading of the MANIFEST and the opening of the file: then the next look is newer.
    for (int attempt = 0; attempt < kReadOnlyAttempts; ++attempt) {
      status = rocksdb::DB::OpenForReadOnly(options, path, &db);
      if (status.ok() || !(status.IsIOError() || status.IsCorruption())) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  if (!status.ok()) return tl::unexpected<Error>(error_from(status, "opening " + path));
  return std::unique_ptr<rocksdb::DB>(db);
}

}  // namespace

class RocksStore::Database {
 public:
  explicit Database(const RocksOptions& with)
      : options(with),
        db_options(make_database_options(with)),
        guard(std::make_shared<IngestGuard>(db_options.env->GetFileSystem())),
        guarded_env(db_options.env, guard),
        watch(std::make_shared<ErrorWatch>()),
        values(kLoadChunk),
        statuses(kLoadChunk) {
    db_options.env = &guarded_env;
    db_options.listeners.push_back(watch);
  }
  ~Database() {
    closing = true;
    if (writing.valid()) writing.wait();
  }

  rocksdb::Env& env() const { return *db_options.env; }
  uint64_t property(const std::string& name) const {
    uint64_t value = 0;
    db->GetIntProperty(name, &value);
    return value;
  }
  uint64_t level0_files() const {
    std::string count;  // this property has no number form
    return db->GetProperty(rocksdb::DB::Properties::kNumFilesAtLevelPrefix + "0", &count) ? std::stoull(count) : 0;
  }
  Result<> start();
  Result<> check_tables();
  Result<> remove_leftovers();
  // Sorts the collection and writes it to sealed_path. Runs beside the owner, who meanwhile changes nothing.
  Result<> write();
  Result<> write_file(rocksdb::SstFileWriter& writer, rocksdb::ExternalSstFileInfo& file);
  void wait_for_compaction();
  // Opens the database anew after an error, as a restart would: RocksDB's own way back (Resume) refuses some errors and keeps stale state after
  // others.
  Result<> reopen();
  Result<> recover();
  Result<> ingest();

  // Fixed after construction.
  const RocksOptions options;
  rocksdb::Options db_options;
  const std::shared_ptr<IngestGuard> guard;
  GuardedEnv guarded_env;
  const std::shared_ptr<ErrorWatch> watch;

  // The owner changes these two under the lock, and reads them without; another thread reads them under the lock.
  std::mutex handle_mutex;
  std::unique_ptr<rocksdb::DB> db;  // empty when even reading failed after an error
  bool writable = false;            // false also when only reading went on after an error

  // The owner's; collection is the writer's while `sealed`.
  uint64_t installed = 0;
  Collection collection;
  bool sealed = false;
  std::string sealed_path;
  rocksdb::ExternalSstFileInfo sealed_file;
  uint64_t sealed_files = 0;  // a name is never used twice: a file that could not be unlinked may be a live one's other name
  std::future<Result<>> writing;
  std::vector<rocksdb::PinnableSlice> values;
  std::vector<rocksdb::Status> statuses;

  std::atomic<bool> closing = false;
  std::atomic<bool> stalled = false;
  std::atomic<uint64_t> bytes_ingested = 0;
};

Result<> RocksStore::Database::start() {
  const auto found = has_state(env(), options.path);
  if (!found) return tl::unexpected<Error>(found.error());
  SEGUE_TRY(check_tables());
  if (options.read_only && !*found) return fail(ErrorClass::kUsage, "opening " + options.path + ": no state there");
  // Read first: a writer that goes on meanwhile can only raise the number that the database then shows.
  const auto recorded = read_installed(env(), options.path);
  if (!recorded) return tl::unexpected<Error>(recorded.error());
  auto opened = open_database(db_options, options.path, options.read_only);
  if (!opened) return tl::unexpected<Error>(std::move(opened).error());
  db = std::move(*opened);
  writable = !options.read_only;
  const auto number = read_checkpoint_number(*db, options.path);
  if (!number) return tl::unexpected<Error>(number.error());
  installed = *number;
  if (installed < *recorded) {
    return fail(ErrorClass::kData, "opening " + options.path + ": damaged: MANIFEST lost checkpoints " + std::to_string(installed + 1) + " to " +
                                       std::to_string(*recorded));
  }
  return options.read_only ? Result<>() : remove_leftovers();
}

Result<> RocksStore::Database::check_tables() {
  std::vector<std::string> names;
  if (!env().GetChildren(options.path, &names).ok()) return {};
  for (const std::string& name : names) {
    if (!ends_with(name, ".sst") || name.starts_with("sealed-")) continue;
    SEGUE_TRY(check_properties(env(), options.path + "/" + name));
  }
  return {};
}

// Requires the lock, which an open database holds: the files could be another process's.
Result<> RocksStore::Database::remove_leftovers() {
  std::vector<std::string> names;
  SEGUE_TRY(result_from(env().GetChildren(options.path, &names), "listing " + options.path));
  for (const std::string& name : names) {
    const std::string path = options.path + "/" + name;
    if (name == kLinks || name == kUnfinishedLinks) SEGUE_TRY(remove_tree(env(), path));
    if (!name.starts_with("sealed-")) continue;
    SEGUE_TRY(result_from(env().DeleteFile(path), "removing " + path));
  }
  return {};
}

Result<> RocksStore::Database::write() {
  collection.sort();
  wait_for_compaction();
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(db_options), db_options, nullptr, /*invalidate_page_cache=*/false);
  auto result = write_file(writer, sealed_file);
  if (!result) env().DeleteFile(sealed_path).PermitUncheckedError();
  return result;
}

Result<> RocksStore::Database::write_file(rocksdb::SstFileWriter& writer, rocksdb::ExternalSstFileInfo& file) {
  const std::string doing = "writing " + sealed_path;
  SEGUE_TRY(result_from(writer.Open(sealed_path), doing));
  std::string number;
  ByteWriter(number).fixed(installed + 1);
  SEGUE_TRY(result_from(writer.Put(slice(kCheckpointNumberKey), number), doing));
  rocksdb::Status status;
  collection.visit([&](std::string_view key, std::optional<std::string_view> value) {
    status = value ? writer.Put(slice(key), slice(*value)) : writer.Delete(slice(key));
    return status.ok();
  });
  file = {};
  if (status.ok()) status = writer.Finish(&file);  // syncs
  bytes_ingested += file.file_size;
  return result_from(status, doing);
}

void RocksStore::Database::wait_for_compaction() {
  if (!options.write_in_background || !options.compact_in_background) return;
  while (!closing && watch->status().ok() && level0_files() >= kMostLevel0Files) {
    stalled = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  stalled = false;
}

Result<> RocksStore::Database::reopen() {
  const std::lock_guard lock(handle_mutex);
  db.reset();
  guard->release();
  writable = false;
  watch->forget();
  auto opened = open_database(db_options, options.path, false);
  if (opened) {
    db = std::move(*opened);
    writable = true;
    return {};
  }
  // A full disk has no room for the new MANIFEST that a writer starts with. Reading still works.
  if (auto reading = open_database(db_options, options.path, true)) db = std::move(*reading);
  return tl::unexpected<Error>(std::move(opened).error());
}

Result<> RocksStore::Database::recover() {
  const rocksdb::Status status = watch->status();
  if (status.ok() && writable) return {};
  if (status.IsCorruption()) return result_from(status, "compacting " + options.path);
  return reopen();
}

Result<> RocksStore::Database::ingest() {
  SEGUE_TRY(recover());
  rocksdb::IngestExternalFileArg arg;
  arg.column_family = db->DefaultColumnFamily();
  arg.external_files = {sealed_path};
  arg.options.move_files = true;
  arg.options.write_global_seqno = false;
  // The writer computed it: else the owner would wait here while the whole file is read again.
  arg.options.verify_file_checksum = false;
  arg.files_checksums = {sealed_file.file_checksum};
  arg.files_checksum_func_names = {sealed_file.file_checksum_func_name};
  guard->keep(sealed_path);
  auto result = result_from(db->IngestExternalFiles({arg}), "installing " + sealed_path);
  if (result) {
    guard->release();
    return result;
  }
  SEGUE_TRY(reopen());
  // The record may have reached the MANIFEST before the error: then the new MANIFEST of the open carries it, synced.
  const auto number = read_checkpoint_number(*db, options.path);
  return number && *number == installed + 1 ? Result<>() : result;
}

RocksStore::RocksStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
RocksStore::~RocksStore() = default;

Result<std::unique_ptr<RocksStore>> RocksStore::open(const RocksOptions& options) {
  auto database = std::make_unique<Database>(options);
  if (auto started = database->start(); !started) return tl::unexpected<Error>(std::move(started).error());
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(database)));
}

Result<> RocksStore::load(std::span<const std::string_view> keys, const Found& found) {
  Database& database = *database_;
  if (!database.db) SEGUE_TRY(database.reopen());
  struct Wanted {
    SortKey key;
    size_t index;
  };
  std::vector<Wanted> wanted;
  wanted.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) wanted.push_back({SortKey(keys[i]), i});
  std::sort(wanted.begin(), wanted.end(), [](const Wanted& a, const Wanted& b) { return a.key < b.key; });

  std::vector<rocksdb::Slice> chunk(std::min(keys.size(), kLoadChunk));
  for (size_t first = 0; first < wanted.size(); first += kLoadChunk) {
    const size_t count = std::min(kLoadChunk, wanted.size() - first);
    for (size_t i = 0; i < count; ++i) chunk[i] = slice(wanted[first + i].key.view());
    database.db->MultiGet(rocksdb::ReadOptions(), database.db->DefaultColumnFamily(), count, chunk.data(), database.values.data(),
                          database.statuses.data(), true);
    for (size_t i = 0; i < count; ++i) {
      rocksdb::PinnableSlice& value = database.values[i];
      const rocksdb::Status& status = database.statuses[i];
      if (!status.ok() && !status.IsNotFound()) return result_from(status, "reading pages from " + database.options.path);
      found(wanted[first + i].index, status.ok() ? std::optional(view(value)) : std::nullopt);
      value.Reset();
    }
  }
  return {};
}

Result<> RocksStore::scan(std::string_view prefix, const Visit& visit) {
  if (!database_->db) SEGUE_TRY(database_->reopen());
  const std::string end = end_of_prefix(prefix);
  const rocksdb::Slice upper_bound(end);
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  read.readahead_size = kScanReadahead;
  if (!end.empty()) read.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> at(database_->db->NewIterator(read));
  for (at->Seek(slice(std::max(prefix, kFirstKey))); at->Valid(); at->Next()) SEGUE_TRY(visit(view(at->key()), view(at->value())));
  return result_from(at->status(), "scanning " + database_->options.path);
}

void RocksStore::put(std::string_view key, std::string_view value) {
  SEGUE_ASSERT(!database_->sealed && !database_->options.read_only);
  database_->collection.put(key, value);
}

void RocksStore::remove(std::string_view key) {
  SEGUE_ASSERT(!database_->sealed && !database_->options.read_only);
  database_->collection.remove(key);
}

size_t RocksStore::collected_bytes() const { return database_->collection.bytes(); }

void RocksStore::seal() {
  Database& database = *database_;
  SEGUE_ASSERT(!database.sealed && !database.options.read_only);
  database.sealed = true;
  database.sealed_path = database.options.path + "/sealed-" + std::to_string(++database.sealed_files) + ".sst";
  const auto policy = database.options.write_in_background ? std::launch::async : std::launch::deferred;
  database.writing = std::async(policy, [&database] { return database.write(); });
  if (!database.options.write_in_background) database.writing.wait();
}

Result<bool> RocksStore::written() {
  Database& database = *database_;
  SEGUE_ASSERT(database.sealed);
  if (!database.writing.valid()) return true;
  if (database.writing.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
  if (auto wrote = database.writing.get(); !wrote) {
    database.sealed = false;
    return tl::unexpected<Error>(std::move(wrote).error());
  }
  return true;
}

Result<> RocksStore::install() {
  Database& database = *database_;
  SEGUE_ASSERT(database.sealed);
  if (database.writing.valid()) database.writing.wait();
  if (auto wrote = written(); !wrote) return tl::unexpected<Error>(std::move(wrote).error());
  database.sealed = false;

  const auto result = database.ingest();
  database.env().DeleteFile(database.sealed_path).PermitUncheckedError();  // RocksDB has moved it, unless something failed
  if (!result) return result;
  ++database.installed;
  database.collection.clear();
  // The checkpoint is installed, whatever becomes of this file; an older number in it only makes the check of the next open weaker.
  (void)write_installed(database.env(), database.options.path, database.installed);
  return {};
}

Result<LinkedCheckpoint> RocksStore::link() const {
  Database& database = *database_;
  LinkedCheckpoint linked{database.options.path + "/" + std::string(kLinks), {}};
  const std::string doing = "linking " + linked.directory;
  const std::lock_guard lock(database.handle_mutex);
  if (!database.writable) return fail(ErrorClass::kRetry, doing + ": the state can only be read");
  SEGUE_TRY(remove_tree(database.env(), linked.directory));
  SEGUE_TRY(result_from(database.db->GetDbIdentity(linked.database_id), doing));
  rocksdb::Checkpoint* made = nullptr;
  SEGUE_TRY(result_from(rocksdb::Checkpoint::Create(database.db.get(), &made), doing));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  // No flush: nothing is ever in the memtable.
  SEGUE_TRY(result_from(checkpoint->CreateCheckpoint(linked.directory, UINT64_MAX), doing));
  return linked;
}

const RocksOptions& RocksStore::options() const { return database_->options; }

uint64_t RocksStore::installed() const { return database_->installed; }

Result<> RocksStore::verify() {
  rocksdb::ReadOptions read;
  read.readahead_size = kScanReadahead;
  return result_from(database_->db->VerifyChecksum(read), "verifying " + database_->options.path);
}

Result<> RocksStore::compact() {
  rocksdb::CompactRangeOptions compact;
  compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  SEGUE_TRY(database_->recover());
  return result_from(database_->db->CompactRange(compact, nullptr, nullptr), "compacting " + database_->options.path);
}

StoreStatistics RocksStore::statistics() const {
  const Database& database = *database_;
  const rocksdb::Statistics* const tickers = database.db_options.statistics.get();
  return {.block_cache_hits = tickers->getTickerCount(rocksdb::BLOCK_CACHE_HIT),
          .block_cache_misses = tickers->getTickerCount(rocksdb::BLOCK_CACHE_MISS),
          .block_cache_bytes = database.property(rocksdb::DB::Properties::kBlockCacheUsage),
          .pending_compaction_bytes = database.property(rocksdb::DB::Properties::kEstimatePendingCompactionBytes),
          .live_sst_bytes = database.property(rocksdb::DB::Properties::kLiveSstFilesSize),
          .total_sst_bytes = database.property(rocksdb::DB::Properties::kTotalSstFilesSize),
          .memtable_bytes = database.property(rocksdb::DB::Properties::kCurSizeAllMemTables),
          .table_reader_bytes = database.property(rocksdb::DB::Properties::kEstimateTableReadersMem),
          .level0_files = database.level0_files(),
          .bytes_written = database.bytes_ingested + tickers->getTickerCount(rocksdb::COMPACT_WRITE_BYTES),
          .background_errors = database.watch->count(),
          .stalled = database.stalled};
}

}  // namespace segue::rocks
