// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/codec/journal_record.h"
#include "lib/filelog/file_system.h"

namespace segue::filelog {

// The bytes around journal records: docs/formats/journal-file.md.
inline constexpr uint32_t kJournalVersion = 1;
inline constexpr size_t kMaxShardNameBytes = 255;
inline constexpr size_t kFrameHeadBytes = 8 + 8 + 4;
inline constexpr uint32_t kMaxJournalPayloadBytes = 1 << 16;

std::string journal_header(std::string_view shard);
// The seed of the first frame's chain.
uint64_t journal_header_checksum(std::string_view shard);
// Appends a frame; returns its checksum, which is `previous` for the next one.
uint64_t append_journal_frame(std::string& out, std::string_view payload, uint64_t previous);

// Reads a journal from its beginning to its last whole record, whatever its size, in one pass with bounded memory. Changes nothing.
class JournalReader {
 public:
  // `path` is for messages. `file` must outlive the reader.
  JournalReader(const File& file, std::string path, std::string_view shard) : file_(file), path_(std::move(path)), shard_(shard) {}

  // Call once, first. False when the file is no longer than a header and does not hold one: an unfinished creation, or an empty file. kData for
  // any other file that does not begin with the header of this shard.
  Result<bool> read_header();
  // The next record; empty at the end, torn tail or not. kData, with file and offset, for damage before the last whole record.
  Result<std::optional<codec::JournalRecord>> next();

  // The end of the last record that next() gave, and where the chain stands there.
  uint64_t valid_bytes() const { return valid_bytes_; }
  uint64_t checksum() const { return checksum_; }
  // After next() gave nothing: bytes of a torn tail.
  uint64_t torn_bytes() const { return file_bytes_ - valid_bytes_; }

 private:
  Result<std::string_view> window(uint64_t offset, size_t bytes);
  Result<std::optional<std::string_view>> frame_at(uint64_t offset);
  Result<bool> any_frame_after(uint64_t offset);
  Result<> check_order(const codec::JournalRecord& record) const;
  tl::unexpected<Error> damaged(const std::string& what) const;

  const File& file_;
  const std::string path_;
  const std::string shard_;
  std::string buffer_;  // of the file, from buffer_offset_ on
  uint64_t buffer_offset_ = 0;
  uint64_t file_bytes_ = 0;
  uint64_t valid_bytes_ = 0;
  uint64_t checksum_ = 0;
  codec::JournalRecord last_;  // sequence 0 before the first
};

}  // namespace segue::filelog
