// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/simulated_file_system.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <string>
#include <vector>

namespace segue::simulation {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus status_of(DiskError error, const std::string& path) {
  switch (error) {
    case DiskError::kNone:
      return IOStatus::OK();
    case DiskError::kNotFound:
      return IOStatus::NotFound(path, "no such file");
    case DiskError::kExists:
      return IOStatus::IOError(path, "exists");
    case DiskError::kFull: {
      IOStatus full = IOStatus::NoSpace(path, "simulated disk is full");
      full.SetRetryable(true);  // as RocksDB's own file system says of ENOSPC
      return full;
    }
    case DiskError::kFailed:
      break;
  }
  return IOStatus::IOError(path, "simulated disk failed");
}

// "dir//name" and "dir/" are one place each.
std::string normal(const std::string& path) {
  std::string out;
  for (const char c : path)
    if (c != '/' || out.empty() || out.back() != '/') out.push_back(c);
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  SequentialFile(SimulatedDisk& disk, SimulatedDisk::FileHandle file) : disk_(disk), file_(std::move(file)) {}
  IOStatus Read(size_t n, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    size_t got = 0;
    const DiskError error = disk_.read(file_, at_, n, scratch, got);
    at_ += got;
    *result = Slice(scratch, got);
    return status_of(error, "");
  }
  IOStatus Skip(uint64_t n) override {
    at_ = std::min<size_t>(at_ + n, disk_.size_of(file_));
    return IOStatus::OK();
  }

 private:
  SimulatedDisk& disk_;
  const SimulatedDisk::FileHandle file_;
  size_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  RandomAccessFile(SimulatedDisk& disk, SimulatedDisk::FileHandle file) : disk_(disk), file_(std::move(file)) {}
  IOStatus Read(uint64_t offset, size_t n, const IOOptions&, Slice* result, char* scratch, IODebugContext*) const override {
    size_t got = 0;
    const DiskError error = disk_.read(file_, offset, n, scratch, got);
    *result = Slice(scratch, got);
    return status_of(error, "");
  }

 private:
  SimulatedDisk& disk_;
  const SimulatedDisk::FileHandle file_;
};

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  WritableFile(SimulatedDisk& disk, SimulatedDisk::FileHandle file, std::string path) : disk_(disk), file_(std::move(file)), path_(std::move(path)) {}
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    return status_of(disk_.append(file_, {data.data(), data.size()}), path_);
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    // RocksDB truncates each file to its own size on closing: no change, so no operation.
    return size == disk_.size_of(file_) ? IOStatus::OK() : status_of(disk_.truncate(file_, size), path_);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return status_of(disk_.sync(file_), path_); }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return disk_.size_of(file_); }

 private:
  SimulatedDisk& disk_;
  const SimulatedDisk::FileHandle file_;
  const std::string path_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(SimulatedDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return status_of(disk_.sync_directory(path_), path_); }

 private:
  SimulatedDisk& disk_;
  const std::string path_;
};

struct Locked final : rocksdb::FileLock {
  explicit Locked(std::string locked) : path(std::move(locked)) {}
  const std::string path;
};

class FileSystem final : public rocksdb::FileSystem {
 public:
  explicit FileSystem(SimulatedDisk& disk) : disk_(disk) {}
  const char* Name() const override { return "SimulatedFileSystem"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&, std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext*) override {
    SimulatedDisk::FileHandle file;
    const DiskError error = disk_.open(normal(path), file);
    if (error == DiskError::kNone) *result = std::make_unique<SequentialFile>(disk_, std::move(file));
    return error == DiskError::kNotFound ? IOStatus::PathNotFound(path) : status_of(error, path);
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&, std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext*) override {
    SimulatedDisk::FileHandle file;
    const DiskError error = disk_.open(normal(path), file);
    if (error == DiskError::kNone) *result = std::make_unique<RandomAccessFile>(disk_, std::move(file));
    return error == DiskError::kNotFound ? IOStatus::PathNotFound(path) : status_of(error, path);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    SimulatedDisk::FileHandle file;
    const DiskError error = disk_.create(normal(path), file);
    if (error == DiskError::kNone) *result = std::make_unique<WritableFile>(disk_, std::move(file), path);
    return status_of(error, path);
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext*) override {
    SimulatedDisk::FileHandle file;
    const DiskError error = disk_.open_to_append(normal(path), file);
    if (error == DiskError::kNone) *result = std::make_unique<WritableFile>(disk_, std::move(file), path);
    return status_of(error, path);
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) override {
    if (disk_.crashed()) return status_of(DiskError::kFailed, path);
    *result = std::make_unique<Directory>(disk_, normal(path));
    return IOStatus::OK();
  }
  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    if (disk_.crashed()) return status_of(DiskError::kFailed, path);
    return status_of(disk_.exists(normal(path)) ? DiskError::kNone : DiskError::kNotFound, path);
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* names, IODebugContext*) override {
    return status_of(disk_.list(normal(path), *names), path);
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override { return status_of(disk_.remove(normal(path)), path); }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return status_of(disk_.make_directory(normal(path)), path);
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    return disk_.is_directory(normal(path)) && !disk_.crashed() ? IOStatus::OK() : CreateDir(path, options, debug);
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return status_of(disk_.remove_directory(normal(path)), path);
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* size, IODebugContext*) override {
    SimulatedDisk::FileHandle file;
    const DiskError error = disk_.open(normal(path), file);
    if (error == DiskError::kNone) *size = disk_.size_of(file);
    return status_of(error, path);
  }
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* time, IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    return status_of(disk_.rename(normal(from), normal(to)), from);
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    return status_of(disk_.link(normal(from), normal(to)), from);
  }
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock, IODebugContext*) override {
    if (disk_.lock(normal(path)) != DiskError::kNone) return IOStatus::IOError("While lock file: " + path, "held");
    *lock = new Locked(normal(path));
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    const std::unique_ptr<Locked> locked(static_cast<Locked*>(lock));
    disk_.unlock(locked->path);
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) override {
    *path = "/test";
    return IOStatus::OK();
  }
  IOStatus NewLogger(const std::string&, const IOOptions&, std::shared_ptr<rocksdb::Logger>*, IODebugContext*) override {
    return IOStatus::NotSupported("logs");
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute, IODebugContext*) override {
    *absolute = normal(path);
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is, IODebugContext*) override {
    *is = disk_.is_directory(normal(path));
    return IOStatus::OK();
  }
  IOStatus GetFreeSpace(const std::string&, const IOOptions&, uint64_t* free, IODebugContext*) override {
    *free = uint64_t{1} << 40;
    return IOStatus::OK();
  }

 private:
  SimulatedDisk& disk_;
};

// RocksDB sleeps a second after a failed compaction; a simulation has no second to lose.
class SleeplessEnv final : public rocksdb::EnvWrapper {
 public:
  explicit SleeplessEnv(const std::shared_ptr<rocksdb::FileSystem>& files) : EnvWrapper(rocksdb::NewCompositeEnv(files)) { file_system_ = files; }
  const char* Name() const override { return "SleeplessEnv"; }
  void SleepForMicroseconds(int) override {}
};

}  // namespace

std::unique_ptr<rocksdb::Env> make_simulated_env(SimulatedDisk& disk) { return std::make_unique<SleeplessEnv>(std::make_shared<FileSystem>(disk)); }

}  // namespace segue::simulation
