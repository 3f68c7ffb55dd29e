// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/filelog/file_system.h"

namespace segue::filelog {

// The uncompressed bytes of one log file, in order. One thread at a time.
class LogSource {
 public:
  LogSource() = default;
  LogSource(const LogSource&) = delete;
  LogSource& operator=(const LogSource&) = delete;
  virtual ~LogSource() = default;

  // Fills the buffer from its front. Fewer bytes than asked only at the end or before damage; 0 at the end, every time. kData names the file
  // and how many uncompressed bytes came before the damage; all of them have been delivered.
  virtual Result<size_t> read(std::span<char> buffer) = 0;
  // Passes over bytes; the number is smaller than asked only at the end of the file. Seeks where the format allows it.
  virtual Result<uint64_t> skip(uint64_t bytes) = 0;
  // Bytes of the file itself, compressed or not, taken so far.
  virtual uint64_t consumed_bytes() const = 0;
};

// Plain, gzip (of any number of members) or zstd (of any number of frames), told by the first bytes and not by the name.
Result<std::unique_ptr<LogSource>> open_log_source(FileSystem& files, const std::string& path);

}  // namespace segue::filelog
