// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <memory>
#include <mutex>
#include <string>

namespace segue::rocks {

// Keeps a file that RocksDB has linked into its directory until it is known whether the MANIFEST names it. When writing or syncing the MANIFEST
// fails, RocksDB 7.8 unlinks the ingested file, though the record may have reached the disk; the directory could then not be opened again. Kept, the
// file is either named, or removed as obsolete by the next open.
class IngestGuard final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "IngestGuard"; }

  // From here to release(), what is linked from `path` cannot be unlinked.
  void keep(const std::string& path);
  void release();

  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;

 private:
  std::mutex mutex_;
  std::string source_;
  std::string linked_;
};

// `base` with its files seen through `files`.
class GuardedEnv final : public rocksdb::EnvWrapper {
 public:
  GuardedEnv(rocksdb::Env* base, const std::shared_ptr<rocksdb::FileSystem>& files) : EnvWrapper(base) { file_system_ = files; }
  const char* Name() const override { return "GuardedEnv"; }
};

}  // namespace segue::rocks
