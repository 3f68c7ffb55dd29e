// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/log_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "lib/filelog/memory_file_system.h"
#include "tests/unit/filelog/compress.h"

namespace segue::filelog {
namespace {

struct Read {
  std::string bytes;
  std::optional<Error> error;
};

Read read_all(std::string_view content, size_t step = 1000) {
  MemoryFileSystem files;
  files.put("d/log", content);
  auto source = open_log_source(files, "d/log").value();
  Read read;
  std::string buffer(step, '\0');
  for (;;) {
    const auto got = source->read(buffer);
    if (!got) {
      read.error = got.error();
      return read;
    }
    if (*got == 0) {
      EXPECT_EQ(source->read(buffer).value(), 0U) << "the end stays the end";
      EXPECT_EQ(source->consumed_bytes(), content.size());
      return read;
    }
    read.bytes.append(buffer, 0, *got);
  }
}

// Incompressible enough to need many blocks.
std::string text(size_t bytes) {
  std::string out;
  for (uint64_t i = 1; out.size() < bytes; ++i) out += std::to_string(i * 0x9e3779b97f4a7c15ULL) + "\n";
  out.resize(bytes);
  return out;
}

TEST(LogSource, FormatIsToldByTheFirstBytes) {
  const std::string plain = text(700'000);
  EXPECT_EQ(read_all(plain).bytes, plain);
  EXPECT_EQ(read_all(gzip(plain)).bytes, plain);
  EXPECT_EQ(read_all(zstd(plain)).bytes, plain);
}

TEST(LogSource, EmptyAndVeryShortFilesArePlain) {
  for (const char* content : {"", "\n", "ab", "\x1f"}) {
    const Read read = read_all(content);
    EXPECT_EQ(read.bytes, content);
    EXPECT_FALSE(read.error);
  }
}

TEST(LogSource, MembersAndFramesFollowOneAnother) {
  const std::string a = text(300'000);
  const std::string b = text(5);
  const std::string expected = a + b + a;
  for (const size_t step : {size_t{1000}, size_t{1 << 20}}) {
    EXPECT_EQ(read_all(gzip(a) + gzip(b) + gzip("") + gzip(a), step).bytes, expected);
    EXPECT_EQ(read_all(zstd(a) + zstd(b) + zstd("") + zstd(a), step).bytes, expected);
  }
}

TEST(LogSource, SkippableFrameIsSkipped) {
  const std::string skippable("\x53\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
  EXPECT_EQ(read_all(skippable + zstd("a\n")).bytes, "a\n");
}

TEST(LogSource, ZerosBehindGzipArePadding) {
  const Read read = read_all(gzip("a\n") + std::string(512, '\0'));
  EXPECT_EQ(read.bytes, "a\n");
  EXPECT_FALSE(read.error);
}

TEST(LogSource, BytesBehindGzipThatAreNoMemberAreDamage) {
  for (const std::string& tail : {std::string("tail"), std::string(5, '\0') + "tail", std::string(5, '\0') + gzip("b\n")}) {
    const Read read = read_all(gzip("a\n") + tail);
    EXPECT_EQ(read.bytes, "a\n");
    ASSERT_TRUE(read.error);
    EXPECT_EQ(read.error->kind, ErrorClass::kData);
  }
}

TEST(LogSource, EveryTruncationIsDamageAfterWhatCameBefore) {
  const std::string plain = text(3000);
  for (const bool is_gzip : {true, false}) {
    const std::string whole = is_gzip ? gzip(plain) : zstd(plain);
    for (size_t size = 4; size < whole.size(); ++size) {
      const Read read = read_all(std::string_view(whole).substr(0, size), 100);
      ASSERT_TRUE(read.error) << size;
      EXPECT_EQ(read.error->kind, ErrorClass::kData);
      EXPECT_EQ(plain.substr(0, read.bytes.size()), read.bytes);
      const std::string message = "d/log: damaged " + std::string(is_gzip ? "gzip" : "zstd") + " data after " + std::to_string(read.bytes.size());
      EXPECT_THAT(read.error->message, testing::StartsWith(message));
    }
  }
}

TEST(LogSource, FlippedByteInGzipIsNoticed) {
  // Of a zstd frame only the header and the blocks' structure are checked unless it carries a checksum, so gzip alone can promise this.
  const std::string whole = gzip(text(3000));
  for (size_t at = 10; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
    EXPECT_TRUE(read_all(flipped).error) << at;
  }
}

TEST(LogSource, SkipPassesOverUncompressedBytes) {
  const std::string plain = text(3'000'000);
  for (const std::string& content : {plain, gzip(plain), zstd(plain)}) {
    MemoryFileSystem files;
    files.put("d/log", content);
    auto source = open_log_source(files, "d/log").value();
    EXPECT_EQ(source->skip(2'500'000).value(), 2'500'000U);
    std::string buffer(10, '\0');
    ASSERT_EQ(source->read(buffer).value(), 10U);
    EXPECT_EQ(buffer, plain.substr(2'500'000, 10));
    EXPECT_EQ(source->skip(10'000'000).value(), 499'990U);
  }
}

}  // namespace
}  // namespace segue::filelog
