// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "lib/base/arena.h"
#include "lib/base/time.h"
#include "lib/codec/event_decoder.h"
#include "lib/kafka/record_reader.h"
#include "lib/pipeline/decoded_chunk.h"

namespace segue::engine {

// A stretch of one partition, copied out of the client's memory and decoded. Reused: after the first few nothing is allocated.
class InputChunk {
 public:
  InputChunk() { decoded_.shares.resize(1); }
  InputChunk(const InputChunk&) = delete;
  InputChunk& operator=(const InputChunk&) = delete;

  // Copies and decodes. `begin`: where the stretch before ended; offsets may be missing behind it (control records, compaction). Requires ascending
  // offsets from `begin` on.
  void fill(uint64_t begin, std::span<const kafka::Record> records, codec::EventDecoder& decoder);
  // No record: control records and those of aborted transactions lie between, or nothing (begin == end).
  void fill_empty(uint64_t begin, uint64_t end);

  const pipeline::DecodedChunk& decoded() const { return decoded_; }
  // When the log took the first record; kNoTime where there is none or it does not say.
  Time appended_at() const { return appended_at_; }
  size_t records() const { return decoded_.records.size() + decoded_.rejects.size(); }

 private:
  void copy(std::span<const kafka::Record> records);

  std::unique_ptr<char[]> bytes_;  // a line each, then the decoder's padding
  size_t capacity_ = 0;
  size_t size_ = 0;
  std::vector<size_t> ends_;  // of the lines' contents; the newline is behind
  Arena arena_;
  pipeline::DecodedChunk decoded_;
  Time appended_at_ = kNoTime;
};

// Chunks to be used again, of all partitions: each has about 2 MB once it was full. Any thread.
class ChunkPool {
 public:
  // So many are kept: a poll fills about four.
  static constexpr size_t kMostFree = 16;

  std::unique_ptr<InputChunk> take();
  void give(std::unique_ptr<InputChunk> chunk);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<InputChunk>> free_;  // guarded by mutex_
};

}  // namespace segue::engine
