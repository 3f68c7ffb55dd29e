// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/log_reader.h"

#include <algorithm>
#include <cstring>

#include "lib/base/assert.h"
#include "lib/filelog/line_split.h"

namespace segue::filelog {
namespace {

constexpr size_t kMaxChunkBytes = 1 << 30;  // offsets in a chunk are 32 bits

}  // namespace

// Keeps the first `kept` bytes.
void Chunk::reserve(size_t bytes, size_t kept) {
  if (bytes <= capacity_) return;
  auto larger = std::make_unique_for_overwrite<char[]>(bytes + kPaddingBytes);
  if (kept > 0) std::memcpy(larger.get(), bytes_.get(), kept);
  bytes_ = std::move(larger);
  capacity_ = bytes;
}

Result<std::unique_ptr<LogReader>> LogReader::open(FileSystem& files, std::vector<std::string> paths, Position from, Options options) {
  SEGUE_ASSERT(options.chunk_bytes > 0 && options.chunk_bytes <= kMaxChunkBytes);
  uint64_t total = 0;
  for (const std::string& path : paths) {
    auto file = files.open_to_read(path);
    if (!file) return tl::unexpected(std::move(file).error());
    auto size = (*file)->size();
    if (!size) return tl::unexpected(std::move(size).error());
    total += *size;
  }
  std::unique_ptr<LogReader> reader(new LogReader(files, std::move(paths), from, options));
  reader->total_bytes_ = total;
  SEGUE_TRY(reader->open_current());
  SEGUE_TRY(reader->seek(from.offset));
  return reader;
}

Result<> LogReader::open_current() {
  source_.reset();
  if (current_ == paths_.size()) return {};
  auto source = open_log_source(files_, paths_[current_]);
  if (!source) return tl::unexpected(std::move(source).error());
  source_ = std::move(*source);
  return {};
}

Result<> LogReader::seek(uint64_t offset) {
  while (offset > 0) {
    if (source_ == nullptr) return fail(ErrorClass::kData, "the log is " + std::to_string(offset) + " bytes shorter than what was read of it before");
    // The byte before the position shows whether a line ends there.
    const auto skipped = source_->skip(offset - 1);
    if (!skipped) return tl::unexpected(skipped.error());
    offset -= *skipped;
    char before = 0;
    const auto got = source_->read({&before, 1});
    if (!got) return tl::unexpected(got.error());
    offset -= *got;
    if (offset == 0 && before != '\n') {
      // Only right where the file ends without a newline.
      char after = 0;
      const auto more = source_->read({&after, 1});
      if (!more) return tl::unexpected(more.error());
      if (*more != 0) {
        return fail(ErrorClass::kData, paths_[current_] + ": position " + std::to_string(position_.offset) +
                                           " is in the middle of a line; the log was read to an end without a newline and grew there");
      }
    }
    if (offset > 0) {
      finished_bytes_ += source_->consumed_bytes();
      ++current_;
      SEGUE_TRY(open_current());
    }
  }
  note_progress();
  return {};
}

Result<> LogReader::next(Chunk& chunk) {
  chunk.lines.clear();
  chunk.begin = chunk.end = position_;
  chunk.size_ = 0;
  chunk.last = false;
  if (error_) return tl::unexpected(*error_);
  auto delivered = fill(chunk);
  while (delivered && !*delivered) delivered = fill(chunk);  // files without lines
  note_progress();
  if (delivered) return {};
  error_ = delivered.error();
  return tl::unexpected(std::move(delivered).error());
}

// False when the current file is finished and there was nothing to deliver.
Result<bool> LogReader::fill(Chunk& chunk) {
  chunk.reserve(std::max(options_.chunk_bytes, carry_.size()), 0);
  if (source_ == nullptr) {
    deliver(chunk, 0, 0);
    chunk.last = true;
    return true;
  }
  size_t limit = std::max(options_.chunk_bytes, carry_.size());
  size_t filled = carry_.size();
  if (filled > 0) std::memcpy(chunk.bytes_.get(), carry_.data(), filled);
  carry_.clear();
  for (;;) {
    if (filled == limit) {
      const size_t whole = split_lines(chunk.data(), filled, chunk.lines);
      if (whole > 0) {
        carry_.assign(chunk.data() + whole, filled - whole);
        deliver(chunk, whole, whole);
        return true;
      }
      if (filled >= kLongestLineBytes) {
        SEGUE_TRY(deliver_oversize(chunk, filled));
        return true;
      }
      limit = std::min(limit * 2, kLongestLineBytes);
      chunk.reserve(limit, filled);
    }
    const auto got = source_->read({chunk.bytes_.get() + filled, limit - filled});
    if (!got) {
      const size_t whole = split_lines(chunk.data(), filled, chunk.lines);
      if (whole == 0) return tl::unexpected(got.error());
      error_ = got.error();
      deliver(chunk, whole, whole);
      return true;
    }
    if (*got == 0) {
      SEGUE_TRY(finish_file(chunk, filled));
      return !chunk.lines.empty();
    }
    filled += *got;
  }
}

// Delivers what is left of the file; its end ends the last line.
Result<> LogReader::finish_file(Chunk& chunk, size_t filled) {
  const size_t whole = split_lines(chunk.data(), filled, chunk.lines);
  if (whole < filled) chunk.lines.push_back(make_line(chunk.data(), whole, filled));
  deliver(chunk, filled, filled);
  finished_bytes_ += source_->consumed_bytes();
  ++current_;
  if (auto opened = open_current(); !opened) {
    if (chunk.lines.empty()) return opened;
    error_ = std::move(opened).error();
    return {};
  }
  chunk.last = source_ == nullptr;
  return {};
}

// The chunk's `filled` bytes are all of one line. Reads on to its end, keeping only the beginning.
Result<> LogReader::deliver_oversize(Chunk& chunk, size_t filled) {
  char* scratch = chunk.bytes_.get() + kOversizeKeptBytes;
  const size_t room = chunk.capacity_ - kOversizeKeptBytes;
  uint64_t length = filled;
  for (;;) {
    const auto got = source_->read({scratch, room});
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) break;
    if (const void* newline = std::memchr(scratch, '\n', *got)) {
      const auto taken = static_cast<size_t>(static_cast<const char*>(newline) - scratch) + 1;
      carry_.assign(scratch + taken, *got - taken);
      length += taken;
      break;
    }
    length += *got;
  }
  chunk.lines.push_back({0, kOversizeKeptBytes, true});
  deliver(chunk, kOversizeKeptBytes, length);
  return {};
}

// `log_bytes`: how far the chunk takes the log, which is its size but for a shortened line.
void LogReader::deliver(Chunk& chunk, size_t size, uint64_t log_bytes) {
  chunk.size_ = size;
  std::memset(chunk.bytes_.get() + size, 0, Chunk::kPaddingBytes);
  position_.offset += log_bytes;
  position_.line += chunk.lines.size();
  chunk.end = position_;
}

void LogReader::note_progress() {
  consumed_bytes_.store(finished_bytes_ + (source_ != nullptr ? source_->consumed_bytes() : 0), std::memory_order_relaxed);
}

LogReader::Progress LogReader::progress() const {
  return {total_bytes_.load(std::memory_order_relaxed), consumed_bytes_.load(std::memory_order_relaxed)};
}

}  // namespace segue::filelog
