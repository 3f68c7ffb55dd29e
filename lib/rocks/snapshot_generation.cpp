// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/snapshot_generation.h"

#include <algorithm>
#include <charconv>

#include "lib/base/hash.h"
#include "lib/rocks/directories.h"
#include "lib/rocks/status.h"

namespace segue::rocks {
namespace {

constexpr std::string_view kRemoving = ".removing";

bool is_there(rocksdb::Env& env, const std::string& path) { return env.FileExists(path).ok(); }

Snapshot snapshot_from(const rocksdb::BackupInfo& info, const std::string& generation) {
  Snapshot snapshot{.id = generation + "/" + std::to_string(info.backup_id), .size_bytes = info.size};
  if (auto record = decode_snapshot_record(info.app_metadata)) {
    snapshot.record = std::move(*record);
  } else {
    snapshot.problem = record.error().message;
  }
  return snapshot;
}

Result<> hash_names(rocksdb::Env& env, const std::string& directory, uint64_t& hash) {
  const auto names = list_directory(env, directory);
  if (!names) return tl::unexpected<Error>(names.error());
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    bool is_directory = false;
    SEGUE_TRY(volume_result(env.IsDirectory(path, &is_directory), "reading " + path));
    uint64_t size = 0;
    if (!is_directory) SEGUE_TRY(volume_result(env.GetFileSize(path, &size), "reading " + path));
    hash = hash64(name + "\n" + std::to_string(size), hash);
    if (is_directory) SEGUE_TRY(hash_names(env, path, hash));
  }
  return {};
}

}  // namespace

Error volume_error(const rocksdb::Status& status, const std::string& doing) {
  Error error = error_from(status, doing);
  if (error.kind == ErrorClass::kStop) error.kind = ErrorClass::kRetry;
  return error;
}

bool is_generation(const std::string& name) { return !name.ends_with(kRemoving); }

Result<std::pair<std::string, uint32_t>> split_snapshot_id(const std::string& id) {
  const size_t slash = id.find('/');
  uint32_t number = 0;
  if (slash != 0 && slash != std::string::npos && id[0] != '.') {
    const char* const end = id.data() + id.size();
    const auto [at, error] = std::from_chars(id.data() + slash + 1, end, number);
    if (error == std::errc() && at == end && number != 0) return std::pair(id.substr(0, slash), number);
  }
  return fail(ErrorClass::kUsage, "no id of a snapshot: " + id);
}

Result<std::string> find_generation(rocksdb::Env& env, const std::string& place, const std::string& database_id) {
  const auto named = [&](uint64_t number) { return number == 1 ? database_id : database_id + "-" + std::to_string(number); };
  const auto names = list_directory(env, place);
  if (!names) return tl::unexpected<Error>(names.error());
  uint64_t latest = 1;
  for (const std::string& name : *names) {
    uint64_t number = 0;
    if (!name.starts_with(database_id + "-")) continue;
    const char* const end = name.data() + name.size();
    const auto [at, error] = std::from_chars(name.data() + database_id.size() + 1, end, number);
    if (error == std::errc() && at == end) latest = std::max(latest, number);
  }
  return named(is_there(env, place + "/" + named(latest) + "/DAMAGED") ? latest + 1 : latest);
}

void mark_damaged(rocksdb::Env& env, const std::string& directory, const Error& why) {
  // On a volume that cannot be written the next reader finds the damage again.
  rocksdb::WriteStringToFile(&env, why.message + "\n", directory + "/DAMAGED", true).PermitUncheckedError();
}

Result<> remove_generation(rocksdb::Env& env, const std::string& directory) {
  auto lock = GenerationLock::take(env, directory);
  if (!lock) return tl::unexpected<Error>(std::move(lock).error());
  const std::string going = directory + std::string(kRemoving);
  SEGUE_TRY(remove_tree(env, going));
  SEGUE_TRY(rename_directory(env, directory, going));
  return remove_tree(env, going);
}

Result<> remove_remnants(rocksdb::Env& env, const std::string& place) {
  const auto names = list_directory(env, place);
  if (!names) return tl::unexpected<Error>(names.error());
  for (const std::string& name : *names)
    if (!is_generation(name)) SEGUE_TRY(remove_tree(env, place + "/" + name));
  return {};
}

Result<uint64_t> hash_of_names(rocksdb::Env& env, const std::string& directory) {
  uint64_t hash = 0;
  SEGUE_TRY(hash_names(env, directory, hash));
  return hash;
}

Result<std::unique_ptr<GenerationLock>> GenerationLock::take(rocksdb::Env& env, const std::string& directory) {
  rocksdb::FileLock* lock = nullptr;
  SEGUE_TRY(volume_result(env.LockFile(directory + "/LOCK", &lock), "locking " + directory));
  return std::unique_ptr<GenerationLock>(new GenerationLock(env, lock));
}

GenerationLock::~GenerationLock() { env_.UnlockFile(lock_).PermitUncheckedError(); }

std::vector<Snapshot> list_generation(const rocksdb::BackupEngineReadOnlyBase& engine, const std::string& name) {
  std::vector<rocksdb::BackupInfo> infos;
  engine.GetBackupInfo(&infos, /*include_file_details=*/false);
  std::vector<Snapshot> snapshots;
  for (const rocksdb::BackupInfo& info : infos) snapshots.push_back(snapshot_from(info, name));
  std::vector<rocksdb::BackupID> damaged;
  engine.GetCorruptedBackups(&damaged);
  for (const rocksdb::BackupID number : damaged) {
    rocksdb::BackupInfo none;
    const rocksdb::Status why = engine.GetBackupInfo(number, &none);
    snapshots.push_back({.id = name + "/" + std::to_string(number), .problem = why.ToString()});
  }
  return snapshots;
}

Generation::Generation(rocksdb::Env& env, const std::string& name, const std::string& directory, CheckedLists lists)
    : name_(name), env_(&env, std::make_shared<GoodLists>(env.GetFileSystem(), directory, std::move(lists.good))) {
  for (const auto& [number, why] : lists.bad) damaged_.push_back({.id = name + "/" + number, .problem = why});
}

Result<std::unique_ptr<Generation>> Generation::open(rocksdb::Env& env, const std::string& place, const std::string& name, rocksdb::Env& state_env,
                                                     int threads) {
  const std::string directory = place + "/" + name;
  auto lists = check_lists(env, directory);
  if (!lists) return tl::unexpected<Error>(std::move(lists).error());
  const bool has_any = !lists->good.empty();
  std::unique_ptr<Generation> generation(new Generation(env, name, directory, std::move(*lists)));
  if (!has_any) return generation;
  rocksdb::BackupEngineOptions options(directory, &generation->env_);
  options.max_background_operations = threads;
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  SEGUE_TRY(volume_result(rocksdb::BackupEngineReadOnly::Open(options, &state_env, &engine), "reading snapshots in " + directory));
  generation->engine_.reset(engine);
  return generation;
}

std::vector<Snapshot> Generation::list() const {
  auto snapshots = engine_ ? list_generation(*engine_, name_) : std::vector<Snapshot>();
  snapshots.insert(snapshots.end(), damaged_.begin(), damaged_.end());
  return snapshots;
}

rocksdb::Status Generation::restore(uint32_t number, const std::string& path) const { return engine_->RestoreDBFromBackup(number, path, path); }

}  // namespace segue::rocks
