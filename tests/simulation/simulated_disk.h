// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace segue::simulation {

enum class DiskError : uint8_t { kNone, kNotFound, kExists, kFull, kFailed };

// A disk in memory that loses what was not synced, as a machine's does when its power fails. Bytes survive a crash once their file was synced,
// names (made, renamed, removed) once their directory was; the rest survives or not by the seed. Every change is one numbered operation, and a
// crash, or a single failure, can be set for any number. Thread-safe. Directories exist by being named.
class SimulatedDisk {
 public:
  struct File {
    std::string bytes;
    size_t synced = 0;        // the first bytes that survive for certain
    size_t links = 0;         // names in the live view
    uint64_t generation = 0;  // a handle from before a crash is dead
  };
  using FileHandle = std::shared_ptr<File>;

  SimulatedDisk() = default;
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;

  // Faults. Operations are counted from 1 since the last reset_operations().
  uint64_t operations() const;
  void reset_operations();
  // This operation and everything after it fails, reads included, until restart().
  void crash_at(uint64_t operation);
  // This one operation fails, nothing else.
  void fail_at(uint64_t operation);
  // Appends beyond this many bytes fail. 0 lifts the limit.
  void set_capacity(uint64_t bytes);
  uint64_t used_bytes() const;
  // Lets a crash also leave rubbish at the end of an unsynced tail, as a file system does that grows files before their data is written. Off at
  // first: RocksDB takes it for damage of its MANIFEST, since nothing tells the two apart (docs/formats/state.md).
  void set_rubbish_tails(bool on);
  bool crashed() const;
  // The power comes back: what was not synced is dropped, kept or torn by the seed, and locks and faults are gone.
  void restart(uint64_t seed);
  // What a disk with the same contents as now, all of it synced, would be.
  std::unique_ptr<SimulatedDisk> copy() const;

  // Changes, each one operation.
  DiskError create(const std::string& path, FileHandle& file);  // replaces an existing file
  DiskError open_to_append(const std::string& path, FileHandle& file);
  DiskError append(const FileHandle& file, std::string_view bytes);
  DiskError truncate(const FileHandle& file, size_t size);
  DiskError sync(const FileHandle& file);
  DiskError rename(const std::string& from, const std::string& to);
  DiskError link(const std::string& from, const std::string& to);
  DiskError remove(const std::string& path);
  DiskError make_directory(const std::string& path);
  DiskError remove_directory(const std::string& path);
  DiskError sync_directory(const std::string& path);

  // Reads. They fail only after a crash.
  DiskError open(const std::string& path, FileHandle& file) const;
  // Copies up to `size` bytes at `offset` to `to`.
  DiskError read(const FileHandle& file, size_t offset, size_t size, char* to, size_t& got) const;
  size_t size_of(const FileHandle& file) const;
  bool exists(const std::string& path) const;
  bool is_directory(const std::string& path) const;
  DiskError list(const std::string& directory, std::vector<std::string>& names) const;
  // Every file, by path.
  std::vector<std::string> paths() const;
  // Locks a path until unlock() or restart(); kFailed when it is locked.
  DiskError lock(const std::string& path);
  void unlock(const std::string& path);

  // For tests that damage files: the bytes as a file's reader sees them, and their replacement, synced.
  std::string contents(const std::string& path) const;
  void replace(const std::string& path, std::string bytes);

 private:
  using Names = std::map<std::string, FileHandle>;
  // Names that changed together; an empty handle is a name that went.
  using NameChange = std::vector<std::pair<std::string, FileHandle>>;

  DiskError begin();
  bool stale(const FileHandle& file) const { return file->generation != generation_; }
  uint64_t used_locked() const;
  void change(NameChange change);
  static std::string directory_of(const std::string& path);

  mutable std::mutex mutex_;
  // All guarded by the lock.
  Names live_;
  Names durable_;                     // as of the last sync of each directory
  std::vector<NameChange> unsynced_;  // in order; what durable_ lacks
  std::map<std::string, bool> directories_;
  std::map<std::string, bool> locks_;
  uint64_t operations_ = 0;
  uint64_t crash_at_ = 0;
  uint64_t fail_at_ = 0;
  uint64_t capacity_ = 0;
  uint64_t used_ = 0;  // live bytes, files without a name left out
  uint64_t generation_ = 1;
  bool crashed_ = false;
  bool rubbish_tails_ = false;
};

}  // namespace segue::simulation
