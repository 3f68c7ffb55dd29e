// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "lib/filelog/file_system.h"

namespace segue::filelog {

// A disk in memory that can fail like a real one, for tests and simulation. Thread safe. It must outlive its files and locks.
//
// An operation is one that changes something: append, sync, truncate, create, rename, remove, make a directory, sync a directory. They are
// counted from 1, so that a test can crash at, or fail, every single one.
class MemoryFileSystem final : public FileSystem {
 public:
  MemoryFileSystem();
  ~MemoryFileSystem() override;

  Result<std::unique_ptr<File>> open_to_read(const std::string& path) override;
  Result<std::unique_ptr<File>> open_to_append(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> make_directories(const std::string& path) override;
  Result<> sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  // Operations so far, failed ones included.
  uint64_t operations() const;
  // The machine stops after operation `count` (counted from the start of this object): from then on every call fails with kStop.
  void crash_after(uint64_t count);
  bool crashed() const;
  // Operation `number` fails once with kRetry; an append leaves half of its bytes, a sync none of them durable.
  void fail_operation(uint64_t number);
  // All files together can hold `bytes`; beyond, an append writes what fits and fails with kRetry. Empty: no limit.
  void limit_bytes(std::optional<uint64_t> bytes);
  uint64_t total_bytes() const;

  // What a disk may hold after a crash now. Synced bytes are kept. Bytes changed since the last sync are lost, kept, or torn at any byte with
  // old bytes, zeros or garbage behind; a create, rename or remove without a directory sync may not have happened. Seed 0 loses everything that
  // may be lost and seed 1 keeps everything; any other seed draws.
  std::unique_ptr<MemoryFileSystem> crash_image(uint64_t seed) const;

  // Puts or replaces a durable file, for tests that damage bytes. Not an operation.
  void put(const std::string& path, std::string_view bytes);
  // Empty when missing.
  std::optional<std::string> content(const std::string& path) const;

 private:
  struct State;
  class MemoryFile;
  class MemoryLock;
  const std::shared_ptr<State> state_;
};

}  // namespace segue::filelog
