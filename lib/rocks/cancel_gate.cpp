// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/cancel_gate.h"

#include <utility>

namespace segue::rocks {
namespace {

class GatedFile final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  GatedFile(std::unique_ptr<rocksdb::FSSequentialFile> file, std::shared_ptr<std::atomic<bool>> cancelled)
      : FSSequentialFileOwnerWrapper(std::move(file)), cancelled_(std::move(cancelled)) {}

  rocksdb::IOStatus Read(size_t size, const rocksdb::IOOptions& options, rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext* debug) override {
    if (*cancelled_) return rocksdb::IOStatus::Aborted("cancelled");
    return target()->Read(size, options, result, scratch, debug);
  }

 private:
  const std::shared_ptr<std::atomic<bool>> cancelled_;
};

}  // namespace

CancelGate::CancelGate(const std::shared_ptr<rocksdb::FileSystem>& files, std::shared_ptr<std::atomic<bool>> cancelled)
    : FileSystemWrapper(files), cancelled_(std::move(cancelled)) {}

rocksdb::IOStatus CancelGate::NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                                std::unique_ptr<rocksdb::FSSequentialFile>* file, rocksdb::IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSSequentialFile> opened;
  const rocksdb::IOStatus status = target()->NewSequentialFile(path, options, &opened, debug);
  if (status.ok()) *file = std::make_unique<GatedFile>(std::move(opened), cancelled_);
  return status;
}

}  // namespace segue::rocks
