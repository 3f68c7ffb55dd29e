// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/log_tail.h"

#include <algorithm>
#include <cstring>

#include "lib/filelog/line_split.h"

namespace segue::filelog {
namespace {

constexpr size_t kSearchBytes = size_t{1} << 20;

}  // namespace

Result<std::unique_ptr<LogTail>> LogTail::open(FileSystem& files, const std::string& path, Position from, Options options) {
  auto file = files.open_to_read(path);
  if (!file) return tl::unexpected<Error>(std::move(file).error());
  std::unique_ptr<LogTail> tail(new LogTail(std::move(*file), path, from, options));
  SEGUE_TRY(tail->check_begin());
  return tail;
}

Result<> LogTail::check_begin() {
  char magic[4];
  const auto head = file_->read_at(0, magic);
  if (!head) return tl::unexpected<Error>(head.error());
  const std::string_view bytes(magic, *head);
  if (bytes.starts_with("\x1f\x8b") || bytes.starts_with("\x28\xb5\x2f\xfd"))
    return fail(ErrorClass::kUsage, path_ + ": a log that grows must not be compressed");
  if (position_.offset == 0) return {};
  char before = 0;
  const auto got = file_->read_at(position_.offset - 1, {&before, 1});
  if (!got) return tl::unexpected<Error>(got.error());
  if (*got == 0) return fail(ErrorClass::kData, path_ + ": is shorter than the " + std::to_string(position_.offset) + " bytes that were read before");
  if (before != '\n') return fail(ErrorClass::kData, path_ + ": no line begins at " + std::to_string(position_.offset) + ", where reading stopped");
  return {};
}

Result<> LogTail::next(Chunk& chunk, uint64_t limit) {
  chunk.lines.clear();
  chunk.begin = chunk.end = position_;
  chunk.size_ = 0;
  chunk.last = false;
  const uint64_t available = limit > position_.offset ? limit - position_.offset : 0;
  if (available == 0) return {};
  if (searched_ > position_.offset) return pass_oversize(chunk, limit);
  for (size_t size = options_.chunk_bytes;; size *= 2) {
    size = static_cast<size_t>(std::min<uint64_t>(size, available));
    SEGUE_TRY(read(chunk, size));
    const size_t whole = split_lines(chunk.data(), size, chunk.lines);
    if (whole > 0) return deliver(chunk, whole, whole), Result<>();
    if (size >= kLongestLineBytes) return pass_oversize(chunk, limit);
    if (size == available) return {};
  }
}

Result<> LogTail::read(Chunk& chunk, size_t size) {
  chunk.reserve(size, 0);
  const auto got = file_->read_at(position_.offset, {chunk.bytes_.get(), size});
  if (!got) return tl::unexpected<Error>(got.error());
  if (*got < size) return fail(ErrorClass::kData, path_ + ": has become shorter while it was read");
  return {};
}

// The line is too long. Its beginning is delivered once its end is there.
Result<> LogTail::pass_oversize(Chunk& chunk, uint64_t limit) {
  searched_ = std::max(searched_, position_.offset + kLongestLineBytes);
  chunk.reserve(kSearchBytes, 0);
  while (searched_ < limit) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(kSearchBytes, limit - searched_));
    const auto got = file_->read_at(searched_, {chunk.bytes_.get(), wanted});
    if (!got) return tl::unexpected<Error>(got.error());
    if (*got < wanted) return fail(ErrorClass::kData, path_ + ": has become shorter while it was read");
    const void* newline = std::memchr(chunk.data(), '\n', *got);
    if (newline == nullptr) {
      searched_ += *got;
      continue;
    }
    const uint64_t end = searched_ + static_cast<uint64_t>(static_cast<const char*>(newline) - chunk.data()) + 1;
    SEGUE_TRY(read(chunk, kOversizeKeptBytes));
    chunk.lines.push_back({0, kOversizeKeptBytes, true});
    deliver(chunk, kOversizeKeptBytes, end - position_.offset);
    return {};
  }
  return {};
}

// `log_bytes`: how far the chunk takes the log, which is its size but for a shortened line.
void LogTail::deliver(Chunk& chunk, size_t size, uint64_t log_bytes) {
  chunk.size_ = size;
  std::memset(chunk.bytes_.get() + size, 0, Chunk::kPaddingBytes);
  position_.offset += log_bytes;
  position_.line += chunk.lines.size();
  chunk.end = position_;
  searched_ = 0;
}

}  // namespace segue::filelog
