// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/log_source.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <optional>

namespace segue::filelog {
namespace {

constexpr size_t kInputBytes = 256 * 1024;  // larger reads are no faster from the page cache
constexpr size_t kSkipBytes = 1024 * 1024;

class PlainSource final : public LogSource {
 public:
  explicit PlainSource(std::unique_ptr<File> file) : file_(std::move(file)) {}

  Result<size_t> read(std::span<char> buffer) override {
    auto got = file_->read_at(offset_, buffer);
    if (got) offset_ += *got;
    return got;
  }
  Result<uint64_t> skip(uint64_t bytes) override {
    const auto size = file_->size();
    if (!size) return size;
    const uint64_t skipped = std::min(bytes, *size > offset_ ? *size - offset_ : 0);
    offset_ += skipped;
    return skipped;
  }
  uint64_t consumed_bytes() const override { return offset_; }

 private:
  const std::unique_ptr<File> file_;
  uint64_t offset_ = 0;
};

// What the two formats share: the compressed input, and holding an error back until all bytes before it have been delivered.
class CompressedSource : public LogSource {
 public:
  CompressedSource(std::unique_ptr<File> file, std::string path, const char* format)
      : file_(std::move(file)), path_(std::move(path)), format_(format), input_(kInputBytes) {}

  Result<size_t> read(std::span<char> buffer) final {
    size_t filled = 0;
    while (filled < buffer.size() && !error_ && !ended_) {
      if (at_ == input_end_ && !input_ended_) {
        if (auto more = refill(); !more) {
          error_ = std::move(more).error();
          break;
        }
      }
      const auto step = decompress(buffer.subspan(filled));
      filled += step;
      delivered_ += step;
    }
    if (filled == 0 && error_) return tl::unexpected(*error_);
    return filled;
  }

  Result<uint64_t> skip(uint64_t bytes) final {
    std::vector<char> scratch(static_cast<size_t>(std::min<uint64_t>(bytes, kSkipBytes)));
    uint64_t skipped = 0;
    while (skipped < bytes) {
      auto got = read(std::span(scratch).first(static_cast<size_t>(std::min<uint64_t>(scratch.size(), bytes - skipped))));
      if (!got) return tl::unexpected(std::move(got).error());
      if (*got == 0) break;
      skipped += *got;
    }
    return skipped;
  }

  uint64_t consumed_bytes() const final { return input_offset_ - (input_end_ - at_); }

 protected:
  // Decompresses from input() into the buffer until one of both is used up; returns the bytes made, and calls damaged() or ended() where it is so.
  virtual size_t decompress(std::span<char> buffer) = 0;

  std::span<char> input() { return std::span(input_).subspan(at_, input_end_ - at_); }
  void take(size_t bytes) { at_ += bytes; }
  bool input_ended() const { return input_ended_ && at_ == input_end_; }
  void ended() { ended_ = true; }
  // `made`: bytes of the running decompress() call.
  void damaged(std::string_view what, size_t made) {
    error_ = Error{ErrorClass::kData,
                   path_ + ": damaged " + format_ + " data after " + std::to_string(delivered_ + made) + " uncompressed bytes: " + std::string(what)};
  }

 private:
  Result<> refill() {
    auto got = file_->read_at(input_offset_, input_);
    if (!got) return tl::unexpected(std::move(got).error());
    input_offset_ += *got;
    at_ = 0;
    input_end_ = *got;
    input_ended_ = *got == 0;
    return {};
  }

  const std::unique_ptr<File> file_;
  const std::string path_;
  const std::string format_;
  std::vector<char> input_;
  size_t at_ = 0;
  size_t input_end_ = 0;
  uint64_t input_offset_ = 0;  // of the end of what input_ holds
  uint64_t delivered_ = 0;
  bool input_ended_ = false;
  bool ended_ = false;
  std::optional<Error> error_;
};

class GzipSource final : public CompressedSource {
 public:
  GzipSource(std::unique_ptr<File> file, std::string path) : CompressedSource(std::move(file), std::move(path), "gzip") {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
  }
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }

 private:
  size_t decompress(std::span<char> buffer) override {
    if (!ready_) return damaged("out of memory", 0), 0;
    if (between_members_ && !start_member()) return 0;
    stream_.next_in = reinterpret_cast<Bytef*>(input().data());
    stream_.avail_in = static_cast<uInt>(input().size());
    stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(buffer.size(), 1 << 30));
    const uInt room = stream_.avail_out;
    const bool no_input = input_ended();
    const int status = inflate(&stream_, Z_NO_FLUSH);
    take(input().size() - stream_.avail_in);
    const size_t made = room - stream_.avail_out;
    if (status == Z_STREAM_END) {
      between_members_ = true;
      inflateReset(&stream_);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      damaged(stream_.msg != nullptr ? stream_.msg : "unusable", made);
    } else if (no_input && made == 0) {
      damaged("the file ends too early", made);
    }
    return made;
  }

  // False when there is no further member (yet). Zeros behind the last one are padding, as gzip(1) has it.
  bool start_member() {
    while (!input().empty() && input().front() == '\0') take(1), padding_ = true;
    if (input_ended()) return ended(), false;
    if (input().empty()) return false;
    if (padding_ || static_cast<unsigned char>(input().front()) != 0x1f) return damaged("bytes behind the end that are no gzip member", 0), false;
    between_members_ = false;
    return true;
  }

  z_stream stream_{};
  bool ready_ = false;
  bool between_members_ = false;
  bool padding_ = false;
};

class ZstdSource final : public CompressedSource {
 public:
  ZstdSource(std::unique_ptr<File> file, std::string path)
      : CompressedSource(std::move(file), std::move(path), "zstd"), stream_(ZSTD_createDStream(), &ZSTD_freeDStream) {}

 private:
  size_t decompress(std::span<char> buffer) override {
    if (stream_ == nullptr) return damaged("out of memory", 0), 0;
    const bool no_input = input_ended();
    if (no_input && between_frames_) return ended(), 0;
    ZSTD_inBuffer in{input().data(), input().size(), 0};
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    const size_t left = ZSTD_decompressStream(stream_.get(), &out, &in);
    take(in.pos);
    if (ZSTD_isError(left) != 0) {
      damaged(ZSTD_getErrorName(left), out.pos);
    } else if (no_input && out.pos == 0) {
      damaged("the file ends too early", 0);
    } else {
      between_frames_ = left == 0;
    }
    return out.pos;
  }

  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream_;
  bool between_frames_ = true;
};

bool is_gzip(std::string_view head) { return head.starts_with("\x1f\x8b"); }

// A data frame, or one of the sixteen kinds of skippable frame, which pzstd puts first.
bool is_zstd(std::string_view head) {
  if (head.starts_with("\x28\xb5\x2f\xfd")) return true;
  return head.size() == 4 && (head[0] & 0xf0) == 0x50 && head.substr(1) == "\x2a\x4d\x18";
}

}  // namespace

Result<std::unique_ptr<LogSource>> open_log_source(FileSystem& files, const std::string& path) {
  auto file = files.open_to_read(path);
  if (!file) return tl::unexpected(std::move(file).error());
  char bytes[4];
  auto got = (*file)->read_at(0, bytes);
  if (!got) return tl::unexpected(std::move(got).error());
  const std::string_view head(bytes, *got);
  if (is_gzip(head)) return std::make_unique<GzipSource>(std::move(*file), path);
  if (is_zstd(head)) return std::make_unique<ZstdSource>(std::move(*file), path);
  return std::make_unique<PlainSource>(std::move(*file));
}

}  // namespace segue::filelog
