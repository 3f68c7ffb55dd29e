// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/utilities/backup_engine.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/rocks/ingest_guard.h"
#include "lib/rocks/snapshot_sums.h"
#include "lib/rocks/snapshots.h"

namespace segue::rocks {

// One generation: the BackupEngine directory of one writer (docs/formats/snapshot.md).

// An error of the volume: what would stop a shard may pass here.
Error volume_error(const rocksdb::Status& status, const std::string& doing);
inline Result<> volume_result(const rocksdb::Status& status, const std::string& doing) {
  if (status.ok()) return {};
  return tl::unexpected<Error>(volume_error(status, doing));
}

bool is_generation(const std::string& name);
// A snapshot's id in parts: generation and number.
Result<std::pair<std::string, uint32_t>> split_snapshot_id(const std::string& id);

// The generation that the state directory with this database writes to: its latest, or a new one after damage.
Result<std::string> find_generation(rocksdb::Env& env, const std::string& place, const std::string& database_id);
// From now on nothing is added to it.
void mark_damaged(rocksdb::Env& env, const std::string& directory, const Error& why);
// Renames it, then removes it, unless a writer holds its lock.
Result<> remove_generation(rocksdb::Env& env, const std::string& directory);
// Finishes the removals that a crash cut short.
Result<> remove_remnants(rocksdb::Env& env, const std::string& place);
// Changes with each name and size in the directory.
Result<uint64_t> hash_of_names(rocksdb::Env& env, const std::string& directory);

// Held by the writer. kUsage when another process has it.
class GenerationLock {
 public:
  static Result<std::unique_ptr<GenerationLock>> take(rocksdb::Env& env, const std::string& directory);
  ~GenerationLock();
  GenerationLock(const GenerationLock&) = delete;
  GenerationLock& operator=(const GenerationLock&) = delete;

 private:
  GenerationLock(rocksdb::Env& env, rocksdb::FileLock* lock) : env_(env), lock_(lock) {}

  rocksdb::Env& env_;
  rocksdb::FileLock* const lock_;
};

// What the engine knows, in the order of the numbers, those with a problem last.
std::vector<Snapshot> list_generation(const rocksdb::BackupEngineReadOnlyBase& engine, const std::string& name);

// A reader, which may come while a writer adds or removes.
class Generation {
 public:
  // Restores to `state_env`, that many files at a time.
  static Result<std::unique_ptr<Generation>> open(rocksdb::Env& env, const std::string& place, const std::string& name, rocksdb::Env& state_env,
                                                  int threads);
  static Result<std::unique_ptr<Generation>> open(rocksdb::Env& env, const std::string& place, const std::string& name) {
    return open(env, place, name, env, 1);
  }
  // Those with a problem last.
  std::vector<Snapshot> list() const;
  // Requires a number from list() without a problem.
  rocksdb::Status restore(uint32_t number, const std::string& path) const;

 private:
  Generation(rocksdb::Env& env, const std::string& name, const std::string& directory, CheckedLists lists);

  const std::string name_;
  std::vector<Snapshot> damaged_;
  GuardedEnv env_;
  std::unique_ptr<rocksdb::BackupEngineReadOnly> engine_;  // empty when there is no good list
};

}  // namespace segue::rocks
