// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace segue::filelog {

// One open file. Closed by its destructor, which does not sync. One thread at a time.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  // Appends all bytes. After an error an unknown part of them may be there: truncate() before going on. A full disk is kRetry.
  virtual Result<> append(std::string_view bytes) = 0;
  // Reads from `offset` on; fewer bytes than asked only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, std::span<char> buffer) const = 0;
  // Returns once content and size are on disk. After an error nothing is known of the bytes appended since the last sync: write them again.
  virtual Result<> sync() = 0;
  virtual Result<uint64_t> size() const = 0;
  // Cuts the file back to `size` bytes, which it must have.
  virtual Result<> truncate(uint64_t size) = 0;
};

// Held while the object lives, and given up by the death of the process.
class FileLock {
 public:
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  virtual ~FileLock() = default;
};

// Port: the door to the disk, so that a failing disk and a memory disk are just other implementations. Calls may come from several threads.
// Errors name the path; a missing or forbidden file is kUsage, a full disk kRetry, anything else kStop.
class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> open_to_read(const std::string& path) = 0;
  // Creates the file where it is missing. The new name is durable after sync_directory().
  virtual Result<std::unique_ptr<File>> open_to_append(const std::string& path) = 0;
  // Replaces `to` atomically. Durable after sync_directory().
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<> remove(const std::string& path) = 0;
  // Creates the directory and its missing parents, durably.
  virtual Result<> make_directories(const std::string& path) = 0;
  virtual Result<> sync_directory(const std::string& path) = 0;
  // Names in the directory, sorted by bytes.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  // kUsage when another process, or another lock of this one, has it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

// "a/b/c" to "a/b"; "c" to ".".
std::string parent_directory(const std::string& path);
// "a/b/c" to "c".
std::string file_name(const std::string& path);

Result<std::string> read_file(FileSystem& files, const std::string& path);
// A crash leaves the old content or the new, never a mixture. Durable on return.
Result<> write_file_atomically(FileSystem& files, const std::string& path, std::string_view bytes);
// Creates the output directory where it is missing and takes DIR/LOCK: one writing process at a time. Every CommitLog of the directory needs it held.
Result<std::unique_ptr<FileLock>> lock_directory(FileSystem& files, const std::string& directory);

}  // namespace segue::filelog
