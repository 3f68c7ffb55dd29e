// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/time.h"
#include "lib/rocks/rocks_store.h"
#include "lib/rocks/snapshot_record.h"

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace segue::rocks {

struct SnapshotOptions {
  // An existing directory, in production a mounted volume that outlives the machine.
  std::string volume;
  // Below it, made when absent: "application/partition".
  std::string shard;
  // Snapshots of this writer that stay, at least 1. Each costs what has been rewritten since the one before.
  size_t keep = 3;
  // Limits the copy to the volume, so that the shard keeps its disk. 0: no limit. A restore is never limited.
  uint64_t bytes_per_second = 0;
  // Files copied at a time.
  int copy_threads = 2;
  // What a checkpoint with this value of key "m" covers.
  std::function<Result<SnapshotInfo>(std::string_view meta)> describe;
  // The doors to the volume and to the disk that restore() writes to; they outlive this. Null: the machine's own.
  rocksdb::Env* env = nullptr;
  rocksdb::Env* state_env = nullptr;
};

struct Snapshot {
  std::string id;
  SnapshotRecord record;    // empty when it could not be read
  uint64_t size_bytes = 0;  // of all its files, those that it shares with others too
  std::string problem;      // why it cannot be restored; empty when nothing is known against it

  bool is_usable() const { return problem.empty(); }
};

struct MadeSnapshot {
  Snapshot snapshot;
  bool is_new = true;   // false: the newest one has this checkpoint already
  std::string warning;  // what old snapshots could not be removed; empty when all went well
};

// The snapshots of one shard on a volume, of all its owners, past ones too: docs/formats/snapshot.md, docs/adr/0005-snapshots.md. From any thread;
// one create() at a time, others wait. Nothing here hurts the running shard.
// Errors: kRetry when the volume is full, away or fails, and after cancel(); kData for damage; kUsage when another process writes with a copy of this
// state directory.
class Snapshots {
 public:
  explicit Snapshots(SnapshotOptions options);

  // Copies the last installed checkpoint of `store`, which its owner goes on using and does not close meanwhile; then removes what is too old.
  Result<MadeSnapshot> create(const RocksStore& store, Time made_at);
  // Newest first; those with a problem last.
  Result<std::vector<Snapshot>> list();
  // Makes the state directory `path`, absent or empty before; its parent exists. After an error it is absent or empty; after kData take the next
  // older snapshot; kRetry also where the snapshot is gone: list again. One process at a time.
  Result<Snapshot> restore(const std::string& id, const std::string& path);
  // Ends what is running soon, and all that is begun later at once. From any thread.
  void cancel() { *cancelled_ = true; }

 private:
  // How often a generation without a usable snapshot was seen as it is.
  struct Standstill {
    uint64_t contents = 0;
    size_t seen = 0;
  };

  std::string place() const { return options_.volume + "/" + options_.shard; }
  Result<> check_volume() const;
  Result<MadeSnapshot> copy(const RocksStore& store, const LinkedCheckpoint& linked, Time made_at);
  Result<MadeSnapshot> add(const std::string& generation, rocksdb::DB& db, SnapshotRecord record);
  Result<> remove_others(const std::string& own, const std::vector<Snapshot>& kept);
  Result<bool> is_outdated(const std::string& generation, const std::vector<Snapshot>& kept);
  bool is_listed(const std::string& id) const;
  Result<Snapshot> copy_back(const std::string& id, const std::string& path);

  const SnapshotOptions options_;
  rocksdb::Env& env_;
  rocksdb::Env& state_env_;
  const std::shared_ptr<std::atomic<bool>> cancelled_;

  std::mutex making_;
  std::map<std::string, Standstill> standstills_;  // guarded by the lock
};

}  // namespace segue::rocks
