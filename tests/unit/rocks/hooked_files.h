// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "lib/rocks/ingest_guard.h"

namespace segue::rocks {

// Asked before each operation on the real files; what is not ok is its outcome.
using FileHook = std::function<rocksdb::IOStatus(const char* operation, const std::string& path)>;

class HookedReader final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  HookedReader(std::unique_ptr<rocksdb::FSSequentialFile> file, FileHook hook, std::string path)
      : FSSequentialFileOwnerWrapper(std::move(file)), hook_(std::move(hook)), path_(std::move(path)) {}
  rocksdb::IOStatus Read(size_t size, const rocksdb::IOOptions& options, rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext* debug) override {
    const auto status = hook_("read", path_);
    return status.ok() ? target()->Read(size, options, result, scratch, debug) : status;
  }

 private:
  const FileHook hook_;
  const std::string path_;
};

class HookedWriter final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  HookedWriter(std::unique_ptr<rocksdb::FSWritableFile> file, FileHook hook, std::string path)
      : FSWritableFileOwnerWrapper(std::move(file)), hook_(std::move(hook)), path_(std::move(path)) {}
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    const auto status = hook_("append", path_);
    return status.ok() ? target()->Append(data, options, debug) : status;
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options, const rocksdb::DataVerificationInfo& verification,
                           rocksdb::IODebugContext* debug) override {
    const auto status = hook_("append", path_);
    return status.ok() ? target()->Append(data, options, verification, debug) : status;
  }
  // Nothing is synced: the page cache survives a killed process.
  rocksdb::IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return hook_("sync", path_); }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return hook_("sync", path_); }
  rocksdb::IOStatus RangeSync(uint64_t, uint64_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return rocksdb::IOStatus::OK(); }

 private:
  const FileHook hook_;
  const std::string path_;
};

class HookedDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  HookedDirectory(std::unique_ptr<rocksdb::FSDirectory> directory, FileHook hook, std::string path)
      : FSDirectoryWrapper(std::move(directory)), hook_(std::move(hook)), path_(std::move(path)) {}
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return hook_("sync", path_); }
  rocksdb::IOStatus FsyncWithDirOptions(const rocksdb::IOOptions&, rocksdb::IODebugContext*, const rocksdb::DirFsyncOptions&) override {
    return hook_("sync", path_);
  }

 private:
  const FileHook hook_;
  const std::string path_;
};

class HookedFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit HookedFiles(FileHook hook) : FileSystemWrapper(rocksdb::FileSystem::Default()), hook_(std::move(hook)) {}
  const char* Name() const override { return "HookedFiles"; }

  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options, std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override {
    return opened<HookedReader>("open", path, file, [&](auto* made) { return target()->NewSequentialFile(path, options, made, debug); });
  }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options, std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    return opened<HookedWriter>("create", path, file, [&](auto* made) { return target()->NewWritableFile(path, options, made, debug); });
  }
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options, std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* debug) override {
    return opened<HookedDirectory>("open", path, directory, [&](auto* made) { return target()->NewDirectory(path, options, made, debug); });
  }
  rocksdb::IOStatus CreateDir(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    const auto status = hook_("mkdir", path);
    return status.ok() ? target()->CreateDir(path, options, debug) : status;
  }
  rocksdb::IOStatus CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    const auto status = hook_("mkdir", path);
    return status.ok() ? target()->CreateDirIfMissing(path, options, debug) : status;
  }
  rocksdb::IOStatus DeleteDir(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    const auto status = hook_("rmdir", path);
    return status.ok() ? target()->DeleteDir(path, options, debug) : status;
  }
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    const auto status = hook_("delete", path);
    return status.ok() ? target()->DeleteFile(path, options, debug) : status;
  }
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
    const auto status = hook_("link", to);
    return status.ok() ? target()->LinkFile(from, to, options, debug) : status;
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    const auto status = hook_("rename", to);
    return status.ok() ? target()->RenameFile(from, to, options, debug) : status;
  }

 private:
  template <class Wrapper, class File, class Open>
  rocksdb::IOStatus opened(const char* operation, const std::string& path, std::unique_ptr<File>* file, Open&& open) {
    auto status = hook_(operation, path);
    std::unique_ptr<File> made;
    if (status.ok()) status = open(&made);
    if (status.ok()) *file = std::make_unique<Wrapper>(std::move(made), hook_, path);
    return status;
  }

  const FileHook hook_;
};

// Counts the operations on the machine's files, and does something at one of them.
struct CountedFiles {
  std::atomic<uint64_t> operations = 0;
  std::atomic<uint64_t> at = 0;  // 0: never
  std::function<rocksdb::IOStatus()> happening = [] { return rocksdb::IOStatus::OK(); };
  GuardedEnv env{rocksdb::Env::Default(), std::make_shared<HookedFiles>([this](const char*, const std::string&) {
                   return ++operations == at ? happening() : rocksdb::IOStatus::OK();
                 })};

  void set(uint64_t operation) {
    operations = 0;
    at = operation;
  }
};

}  // namespace segue::rocks
