// SPDX-License-Identifier: Apache-2.0
#include "services/engine/input_chunk.h"

#include <algorithm>
#include <cstring>

namespace segue::engine {
namespace {

// Lines whose tokens are found at once (EventDecoder::index_lines).
constexpr size_t kIndexBytes = 128 << 10;

}  // namespace

void InputChunk::copy(std::span<const kafka::Record> records) {
  size_ = 0;
  for (const kafka::Record& record : records) size_ += record.value.size() + 1;
  if (const size_t needed = size_ + codec::EventDecoder::kPadding; needed > capacity_) {
    capacity_ = std::max(needed, 2 * capacity_);
    bytes_ = std::make_unique<char[]>(capacity_);
  }
  ends_.clear();
  char* at = bytes_.get();
  for (const kafka::Record& record : records) {
    if (!record.value.empty()) std::memcpy(at, record.value.data(), record.value.size());
    at += record.value.size();
    ends_.push_back(static_cast<size_t>(at - bytes_.get()));
    *at++ = '\n';
  }
}

void InputChunk::fill(uint64_t begin, std::span<const kafka::Record> records, codec::EventDecoder& decoder) {
  copy(records);
  arena_.clear();
  decoded_.clear();
  const uint64_t end = records.empty() ? begin : records.back().offset + 1;
  decoded_.begin = {begin, begin};
  decoded_.end = {end, end};
  decoded_.records.reserve(records.size());
  appended_at_ = records.empty() ? kNoTime : records.front().timestamp;
  size_t line_begin = 0;
  size_t indexed = 0;  // bytes whose lines are indexed
  for (size_t i = 0; i < records.size(); ++i) {
    if (line_begin >= indexed) {
      const auto beyond = std::lower_bound(ends_.begin() + static_cast<ptrdiff_t>(i), ends_.end(), line_begin + kIndexBytes);
      indexed = beyond == ends_.end() ? size_ : *beyond + 1;
      decoder.index_lines({bytes_.get() + line_begin, indexed - line_begin});
    }
    const std::string_view line(bytes_.get() + line_begin, ends_[i] - line_begin);
    line_begin = ends_[i] + 1;
    const Position at{records[i].offset, records[i].offset};
    auto& record = decoded_.records.emplace_back();  // decoded in place: an event is four cache lines
    if (const auto rejected = decoder.decode(line, records[i].timestamp, arena_, record.event)) {
      decoded_.records.pop_back();
      decoded_.rejects.push_back({at, *rejected, line, arena_.copy(records[i].key)});
      continue;
    }
    record.at = at;
    record.high = decoded_.high = std::max(decoded_.high, record.event.ts);
    decoded_.shares[0].push_back(static_cast<uint32_t>(decoded_.records.size() - 1));
  }
}

void InputChunk::fill_empty(uint64_t begin, uint64_t end) {
  decoded_.clear();
  decoded_.begin = {begin, begin};
  decoded_.end = {end, end};
  appended_at_ = kNoTime;
}

std::unique_ptr<InputChunk> ChunkPool::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<InputChunk>();
  std::unique_ptr<InputChunk> chunk = std::move(free_.back());
  free_.pop_back();
  return chunk;
}

void ChunkPool::give(std::unique_ptr<InputChunk> chunk) {
  const std::lock_guard lock(mutex_);
  if (free_.size() < kMostFree) free_.push_back(std::move(chunk));
}

}  // namespace segue::engine
