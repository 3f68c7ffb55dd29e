// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <string>

namespace segue::rocks {

// Ends a long copy: once `cancelled` is set, every sequential read through it fails with Aborted. BackupEngine copies by such reads, 5 MB each. Its
// own StopBackup() ends only the making of a backup, not a restore.
class CancelGate final : public rocksdb::FileSystemWrapper {
 public:
  CancelGate(const std::shared_ptr<rocksdb::FileSystem>& files, std::shared_ptr<std::atomic<bool>> cancelled);
  const char* Name() const override { return "CancelGate"; }

  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options, std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override;

 private:
  const std::shared_ptr<std::atomic<bool>> cancelled_;
};

}  // namespace segue::rocks
