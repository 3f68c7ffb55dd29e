// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/snapshots.h"

#include <rocksdb/utilities/backup_engine.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "lib/base/assert.h"
#include "lib/base/hash.h"
#include "lib/rocks/cancel_gate.h"
#include "lib/rocks/checkpoint_number.h"
#include "lib/rocks/database_options.h"
#include "lib/rocks/directories.h"
#include "lib/rocks/ingest_guard.h"
#include "lib/rocks/installed_file.h"
#include "lib/rocks/snapshot_generation.h"
#include "lib/rocks/status.h"

namespace segue::rocks {
namespace {

constexpr size_t kSmallCacheBytes = 1 << 20;
// A linked checkpoint is read for two keys: no need to hold the indexes and filters of all its files.
constexpr int kFewOpenFiles = 20;

rocksdb::Env& env_or_default(rocksdb::Env* env) { return env != nullptr ? *env : *rocksdb::Env::Default(); }

// The links as a database of their own. Only its own MANIFEST is written.
Result<std::unique_ptr<rocksdb::DB>> open_linked(const RocksOptions& store, rocksdb::Env& env, const std::string& directory) {
  RocksOptions options = store;
  options.block_cache = nullptr;
  options.block_cache_bytes = kSmallCacheBytes;
  options.compact_in_background = false;
  options.env = &env;
  rocksdb::Options db_options = make_database_options(options);
  db_options.create_if_missing = false;
  db_options.max_open_files = kFewOpenFiles;
  rocksdb::DB* db = nullptr;
  SEGUE_TRY(result_from(rocksdb::DB::Open(db_options, directory, &db), "opening " + directory));
  return std::unique_ptr<rocksdb::DB>(db);
}

Result<SnapshotRecord> read_record(rocksdb::DB& db, const SnapshotOptions& options, Time made_at) {
  const auto number = read_checkpoint_number(db, db.GetName());
  if (!number) return tl::unexpected<Error>(number.error());
  if (*number == 0) return fail(ErrorClass::kRetry, "making a snapshot of " + db.GetName() + ": no checkpoint is installed yet");
  std::string meta;
  SEGUE_TRY(result_from(db.Get(rocksdb::ReadOptions(), "m", &meta), "reading the meta in " + db.GetName()));
  auto info = options.describe(meta);
  if (!info) return tl::unexpected<Error>(std::move(info).error());
  return SnapshotRecord{.checkpoint = *number, .info = std::move(*info), .made_at = made_at, .meta_hash = hash64(meta)};
}

auto age_order(const Snapshot& snapshot) {
  return std::tuple(snapshot.record.info.sequence, snapshot.record.checkpoint, snapshot.record.made_at, std::string_view(snapshot.id));
}

void add_text(std::string& text, const Result<>& result) {
  if (!result) text += (text.empty() ? "" : "; ") + result.error().message;
}

// Opens what was restored as the shard will, and compares it with what the snapshot says of itself.
Result<> check_restored(rocksdb::Env& env, const std::string& path, const SnapshotRecord& record) {
  SEGUE_TRY(write_installed(env, path, record.checkpoint));
  RocksOptions options;
  options.path = path;
  options.block_cache_bytes = kSmallCacheBytes;
  options.write_in_background = false;
  options.compact_in_background = false;
  options.env = &env;
  auto store = RocksStore::open(options);
  if (!store) return tl::unexpected<Error>(std::move(store).error());
  if ((*store)->installed() != record.checkpoint)
    return fail(ErrorClass::kData, "restoring " + path + ": damaged: it is not the checkpoint that the snapshot names");
  bool is_same = false;
  const std::string_view key = "m";
  SEGUE_TRY((*store)->load({&key, 1}, [&](size_t, std::optional<std::string_view> meta) { is_same = meta && hash64(*meta) == record.meta_hash; }));
  if (!is_same) return fail(ErrorClass::kData, "restoring " + path + ": damaged: its meta is not the one that the snapshot names");
  return {};
}

}  // namespace

Snapshots::Snapshots(SnapshotOptions options)
    : options_(std::move(options)),
      env_(env_or_default(options_.env)),
      state_env_(env_or_default(options_.state_env)),
      cancelled_(std::make_shared<std::atomic<bool>>(false)) {
  SEGUE_ASSERT(options_.keep >= 1 && options_.copy_threads >= 1 && options_.describe);
}

Result<> Snapshots::check_volume() const {
  if (*cancelled_) return fail(ErrorClass::kRetry, "snapshots in " + place() + ": cancelled");
  bool is_directory = false;
  if (env_.IsDirectory(options_.volume, &is_directory).ok() && is_directory) return {};
  return fail(ErrorClass::kRetry, "the volume for snapshots is not there: " + options_.volume);
}

Result<MadeSnapshot> Snapshots::create(const RocksStore& store, Time made_at) {
  const std::lock_guard lock(making_);
  SEGUE_TRY(check_volume());
  SEGUE_TRY(make_directories(env_, options_.volume, options_.shard));
  const auto linked = store.link();
  if (!linked) return tl::unexpected<Error>(linked.error());
  auto made = copy(store, *linked, made_at);
  const auto removed = remove_tree(env_or_default(store.options().env), linked->directory);
  if (made) add_text(made->warning, removed);
  return made;
}

Result<MadeSnapshot> Snapshots::copy(const RocksStore& store, const LinkedCheckpoint& linked, Time made_at) {
  rocksdb::Env& disk = env_or_default(store.options().env);
  GuardedEnv gated(&disk, std::make_shared<CancelGate>(disk.GetFileSystem(), cancelled_));
  const auto db = open_linked(store.options(), gated, linked.directory);
  if (!db) return tl::unexpected<Error>(db.error());
  const auto record = read_record(**db, options_, made_at);
  if (!record) return tl::unexpected<Error>(record.error());
  const auto generation = find_generation(env_, place(), linked.database_id);
  if (!generation) return tl::unexpected<Error>(generation.error());
  SEGUE_TRY(make_directories(env_, place(), *generation));
  return add(*generation, **db, *record);
}

Result<MadeSnapshot> Snapshots::add(const std::string& generation, rocksdb::DB& db, SnapshotRecord record) {
  const std::string directory = place() + "/" + generation;
  const std::string doing = "making a snapshot in " + directory;
  const auto writer = GenerationLock::take(env_, directory);
  if (!writer) return tl::unexpected<Error>(writer.error());
  SEGUE_TRY(remove_bad_lists(env_, directory));
  rocksdb::BackupEngineOptions options(directory, &env_);
  options.backup_rate_limit = options_.bytes_per_second;
  options.max_background_operations = options_.copy_threads;
  rocksdb::BackupEngine* opened = nullptr;
  SEGUE_TRY(volume_result(rocksdb::BackupEngine::Open(options, db.GetEnv(), &opened), doing));
  const std::unique_ptr<rocksdb::BackupEngine> engine(opened);

  MadeSnapshot made;
  const auto same = [&](const Snapshot& old) {
    return old.is_usable() && old.record.checkpoint == record.checkpoint && old.record.meta_hash == record.meta_hash;
  };
  auto kept = list_generation(*engine, generation);
  made.is_new = std::none_of(kept.begin(), kept.end(), same);
  if (made.is_new) {
    // What a crash left is in the way on a full volume.
    SEGUE_TRY(volume_result(engine->GarbageCollect(), doing));
    rocksdb::BackupID number = 0;
    const auto status = engine->CreateNewBackupWithMetadata(rocksdb::CreateBackupOptions(), &db, encode_snapshot_record(record), &number);
    if (*cancelled_ && !status.ok()) return fail(ErrorClass::kRetry, doing + ": cancelled");
    SEGUE_TRY(volume_result(status, doing));
    SEGUE_TRY(write_sum(env_, directory, number));
    add_text(made.warning, volume_result(engine->PurgeOldBackups(static_cast<uint32_t>(options_.keep)), "removing old snapshots in " + directory));
    for (const Snapshot& old : kept)
      if (!old.is_usable()) engine->DeleteBackup(split_snapshot_id(old.id)->second).PermitUncheckedError();
    add_text(made.warning, remove_bad_lists(env_, directory));
    kept = list_generation(*engine, generation);
  }
  const auto found = std::find_if(kept.rbegin(), kept.rend(), same);
  if (found == kept.rend()) return fail(ErrorClass::kRetry, doing + ": it is not there any more");
  made.snapshot = *found;
  if (made.is_new) add_text(made.warning, remove_others(generation, kept));
  return made;
}

Result<> Snapshots::remove_others(const std::string& own, const std::vector<Snapshot>& kept) {
  SEGUE_TRY(remove_remnants(env_, place()));
  if (kept.size() < options_.keep) return {};
  const auto names = list_directory(env_, place());
  if (!names) return tl::unexpected<Error>(names.error());
  for (const std::string& name : *names) {
    if (name == own) continue;
    const auto outdated = is_outdated(name, kept);
    if (!outdated) return tl::unexpected<Error>(outdated.error());
    if (*outdated) SEGUE_TRY(remove_generation(env_, place() + "/" + name));
  }
  return {};
}

Result<bool> Snapshots::is_outdated(const std::string& generation, const std::vector<Snapshot>& kept) {
  const std::string directory = place() + "/" + generation;
  const auto opened = Generation::open(env_, place(), generation);
  if (!opened) return tl::unexpected<Error>(opened.error());
  const auto theirs = (*opened)->list();
  if (std::any_of(theirs.begin(), theirs.end(), [](const Snapshot& one) { return one.is_usable(); })) {
    uint64_t oldest = UINT64_MAX, newest = 0;
    for (const Snapshot& one : kept) oldest = std::min(oldest, one.record.info.sequence);
    for (const Snapshot& one : theirs) newest = std::max(newest, one.record.info.sequence);
    return newest < oldest;
  }
  const auto contents = hash_of_names(env_, directory);
  if (!contents) return tl::unexpected<Error>(contents.error());
  Standstill& still = standstills_[generation];
  if (still.contents != *contents) still = {*contents, 0};
  return ++still.seen > options_.keep;
}

Result<std::vector<Snapshot>> Snapshots::list() {
  SEGUE_TRY(check_volume());
  const auto names = list_directory(env_, place());
  if (!names) return tl::unexpected<Error>(names.error());
  std::vector<Snapshot> snapshots;
  for (const std::string& name : *names) {
    if (!is_generation(name)) continue;
    const auto generation = Generation::open(env_, place(), name);
    if (!generation) {
      snapshots.push_back({.id = name, .problem = generation.error().message});
      continue;
    }
    for (Snapshot& one : (*generation)->list()) snapshots.push_back(std::move(one));
  }
  std::sort(snapshots.begin(), snapshots.end(),
            [](const Snapshot& a, const Snapshot& b) { return a.is_usable() != b.is_usable() ? a.is_usable() : age_order(a) > age_order(b); });
  return snapshots;
}

Result<Snapshot> Snapshots::restore(const std::string& id, const std::string& path) {
  SEGUE_TRY(check_volume());
  const auto there = list_directory(state_env_, path);
  if (!there) return tl::unexpected<Error>(there.error());
  if (!there->empty()) return fail(ErrorClass::kUsage, "restoring to " + path + ": it is not empty");
  const std::string beside = path + ".restoring";
  SEGUE_TRY(remove_tree(state_env_, beside));
  auto restored = copy_back(id, beside);
  // Its owner makes newer ones meanwhile, and removes the oldest.
  if (!restored && restored.error().kind == ErrorClass::kData && !is_listed(id))
    restored = fail(ErrorClass::kRetry, "restoring snapshot " + id + ": it was removed meanwhile");
  if (restored) {
    SEGUE_TRY(sync_directory(state_env_, beside));
    SEGUE_TRY(rename_directory(state_env_, beside, path));
  } else {
    (void)remove_tree(state_env_, beside);
  }
  return restored;
}

bool Snapshots::is_listed(const std::string& id) const {
  const auto parts = split_snapshot_id(id);
  if (!parts) return true;
  const auto opened = Generation::open(env_, place(), parts->first);
  if (!opened) return true;  // nobody knows
  const auto snapshots = (*opened)->list();
  return std::any_of(snapshots.begin(), snapshots.end(), [&](const Snapshot& one) { return one.id == id; });
}

Result<Snapshot> Snapshots::copy_back(const std::string& id, const std::string& path) {
  const auto parts = split_snapshot_id(id);
  if (!parts) return tl::unexpected<Error>(parts.error());
  const auto& [generation, number] = *parts;
  const std::string directory = place() + "/" + generation;
  const std::string doing = "restoring snapshot " + id;
  const auto failed = std::make_shared<std::atomic<bool>>(false);
  const auto gate = std::make_shared<CancelGate>(env_.GetFileSystem(), cancelled_);
  GuardedEnv gated(&env_, std::make_shared<CancelGate>(gate, failed));
  const auto opened = Generation::open(gated, place(), generation, state_env_, options_.copy_threads);
  if (!opened) return tl::unexpected<Error>(opened.error());
  const auto snapshots = (*opened)->list();
  const auto wanted = std::find_if(snapshots.begin(), snapshots.end(), [&](const Snapshot& one) { return one.id == id; });
  if (wanted == snapshots.end()) return fail(ErrorClass::kRetry, doing + ": it is not there any more");
  if (!wanted->is_usable()) return fail(ErrorClass::kData, doing + ": " + wanted->problem);
  const rocksdb::Status status = (*opened)->restore(number, path);
  // What is still waiting to be copied shall not be.
  *failed = !status.ok();
  if (*cancelled_ && !status.ok()) return fail(ErrorClass::kRetry, doing + ": cancelled");
  if (!status.ok()) {
    Error error = volume_error(status, doing);
    if (status.IsCorruption() && is_listed(id)) mark_damaged(env_, directory, error);
    return tl::unexpected<Error>(std::move(error));
  }
  SEGUE_TRY(check_restored(state_env_, path, wanted->record));
  return *wanted;
}

}  // namespace segue::rocks
