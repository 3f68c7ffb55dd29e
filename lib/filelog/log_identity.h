// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lib/filelog/file_system.h"

namespace segue::filelog {

// What a log file is recognised by. Written as a line of DIR/LOG: docs/formats/output-files.md.
struct LogFileIdentity {
  uint64_t size = 0;        // bytes on disk
  uint64_t head_bytes = 0;  // min(kHeadBytes, all) uncompressed bytes
  uint64_t head_hash = 0;   // hash64 of them
  std::string name;         // without folders: a log may move as a whole

  friend bool operator==(const LogFileIdentity&, const LogFileIdentity&) = default;
};
using LogIdentity = std::vector<LogFileIdentity>;
inline constexpr uint64_t kHeadBytes = 64 * 1024;

// kUsage when a name holds a line break.
Result<LogIdentity> identify_log(FileSystem& files, const std::vector<std::string>& paths);
// Files read one after the other grow at the end of the last; partitions grow each at their own.
enum class LogKind : uint8_t { kSequence, kPartitions };
// Accepts the same log, and one that has grown at its end. Otherwise kUsage, with the file and the difference.
Result<> check_same_log(FileSystem& files, const LogIdentity& before, const std::vector<std::string>& paths, LogKind kind = LogKind::kSequence);

std::string to_text(const LogIdentity& identity);
Result<LogIdentity> parse_log_identity(std::string_view text);

// Ties an output directory to its log: writes DIR/LOG the first time, later checks against it and notes the growth. Call with DIR/LOCK held and
// before reading.
Result<> bind_log(FileSystem& files, const std::string& directory, const std::vector<std::string>& paths, LogKind kind = LogKind::kSequence);

}  // namespace segue::filelog
