// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/ingest_guard.h"

namespace segue::rocks {

void IngestGuard::keep(const std::string& path) {
  const std::lock_guard lock(mutex_);
  source_ = path;
  linked_.clear();
}

void IngestGuard::release() {
  const std::lock_guard lock(mutex_);
  source_.clear();
  linked_.clear();
}

rocksdb::IOStatus IngestGuard::LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                                        rocksdb::IODebugContext* debug) {
  {
    const std::lock_guard lock(mutex_);
    if (!source_.empty() && from == source_) linked_ = to;
  }
  return target()->LinkFile(from, to, options, debug);
}

rocksdb::IOStatus IngestGuard::DeleteFile(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  {
    const std::lock_guard lock(mutex_);
    if (!linked_.empty() && path == linked_) return rocksdb::IOStatus::OK();
  }
  return target()->DeleteFile(path, options, debug);
}

}  // namespace segue::rocks
