// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "lib/base/position.h"
#include "lib/filelog/file_system.h"
#include "lib/filelog/log_reader.h"

namespace segue::filelog {

// Reads a log file that grows, plain, up to where its bytes are known to stay (docs/formats/embedded-log.md). The same lines at the same positions as
// LogReader gives once the file is finished. One thread.
class LogTail {
 public:
  struct Options {
    size_t chunk_bytes = 256 << 10;  // aim: about a batch of events
  };

  // Starts at `from`, which an earlier chunk of the same file gave as begin or end. kData when the file is shorter, or no line begins there; kUsage
  // when it is compressed.
  static Result<std::unique_ptr<LogTail>> open(FileSystem& files, const std::string& path, Position from, Options options);
  static Result<std::unique_ptr<LogTail>> open(FileSystem& files, const std::string& path, Position from) {
    return open(files, path, from, Options{});
  }

  LogTail(const LogTail&) = delete;
  LogTail& operator=(const LogTail&) = delete;

  // Reads the next lines that end before byte `limit`, which lies in the file. No line: the chunk is empty, and begins and ends at position(). After
  // an error the call may be repeated.
  Result<> next(Chunk& chunk, uint64_t limit);
  Position position() const { return position_; }
  // Of the file now.
  Result<uint64_t> size() const { return file_->size(); }

 private:
  LogTail(std::unique_ptr<File> file, std::string path, Position from, Options options)
      : file_(std::move(file)), path_(std::move(path)), options_(options), position_(from) {}
  Result<> check_begin();
  Result<> read(Chunk& chunk, size_t size);
  Result<> pass_oversize(Chunk& chunk, uint64_t limit);
  void deliver(Chunk& chunk, size_t size, uint64_t log_bytes);

  const std::unique_ptr<File> file_;
  const std::string path_;
  const Options options_;
  Position position_;
  uint64_t searched_ = 0;  // up to here no newline ends the long line that begins at position_
};

}  // namespace segue::filelog
