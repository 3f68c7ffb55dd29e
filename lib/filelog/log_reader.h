// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/position.h"
#include "lib/filelog/file_system.h"
#include "lib/filelog/log_source.h"

namespace segue::filelog {

// One line of a chunk, without its line end (\n or \r\n).
struct Line {
  uint32_t offset = 0;  // from the chunk's first byte
  uint32_t size = 0;
  bool oversize = false;  // longer than event::kMaxRecordBytes: only the first kOversizeKeptBytes are here
};
// Enough to see in a dead letter what it was.
inline constexpr uint32_t kOversizeKeptBytes = 4096;

// Whole lines of a log, in order. Reuse one object for many reads: it keeps its memory. Line i starts at offset begin.offset + lines[i].offset of the
// log and is its line number begin.line + i (from 0).
class Chunk {
 public:
  static constexpr size_t kPaddingBytes = 64;  // readable behind the last byte, as simdjson wants it

  const char* data() const { return bytes_.get(); }
  size_t size() const { return size_; }
  std::string_view line(size_t i) const { return {bytes_.get() + lines[i].offset, lines[i].size}; }

  Position begin;
  Position end;
  std::vector<Line> lines;
  bool last = false;  // the log ends here; such a chunk may have no lines

 private:
  friend class LogReader;
  friend class LogTail;
  void reserve(size_t bytes, size_t kept);

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// Reads a log, that is a list of files in their order, each plain, gzip or zstd, as one sequence of uncompressed bytes, in chunks of whole lines.
// The end of a file ends a line. One thread reads; progress may be asked for by any.
class LogReader {
 public:
  struct Options {
    size_t chunk_bytes = 1 << 20;  // aim; a chunk with one long line can be larger, up to event::kMaxRecordBytes + 2
  };
  struct Progress {
    uint64_t total_bytes = 0;  // of the files as they are on disk, when opened
    uint64_t consumed_bytes = 0;
  };

  // Starts at `from`, which an earlier chunk of the same log gave as begin or end. Seeks in plain files, reads over compressed ones. kData when
  // the log is shorter, or `from` is in the middle of a line (of a log that ended without a newline and then grew).
  static Result<std::unique_ptr<LogReader>> open(FileSystem& files, std::vector<std::string> paths, Position from, Options options);
  static Result<std::unique_ptr<LogReader>> open(FileSystem& files, std::vector<std::string> paths, Position from) {
    return open(files, std::move(paths), from, Options{});
  }

  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  // Reads the next chunk. Whole lines before damaged data are delivered first; after that this and every further call gives the error. After the
  // last chunk, further ones are empty.
  Result<> next(Chunk& chunk);
  Progress progress() const;

 private:
  LogReader(FileSystem& files, std::vector<std::string> paths, Position from, Options options)
      : files_(files), paths_(std::move(paths)), options_(options), position_(from) {}
  Result<> open_current();
  Result<> seek(uint64_t offset);
  Result<bool> fill(Chunk& chunk);
  Result<> finish_file(Chunk& chunk, size_t filled);
  Result<> deliver_oversize(Chunk& chunk, size_t filled);
  void deliver(Chunk& chunk, size_t size, uint64_t log_bytes);
  void note_progress();

  FileSystem& files_;
  const std::vector<std::string> paths_;
  const Options options_;
  size_t current_ = 0;                 // index of the open file
  std::unique_ptr<LogSource> source_;  // null after the last file
  std::string carry_;                  // read, but not delivered: the beginning of a line
  Position position_;                  // of carry_
  std::optional<Error> error_;
  uint64_t finished_bytes_ = 0;  // of the files before the current one
  std::atomic<uint64_t> total_bytes_ = 0;
  std::atomic<uint64_t> consumed_bytes_ = 0;
};

}  // namespace segue::filelog
