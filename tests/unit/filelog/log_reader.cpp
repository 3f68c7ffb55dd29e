// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <ostream>

#include "lib/event/event.h"
#include "lib/filelog/memory_file_system.h"
#include "tests/unit/filelog/compress.h"

namespace segue::filelog {
namespace {

struct Placed {
  Position at;
  std::string text;
  bool oversize = false;

  friend bool operator==(const Placed&, const Placed&) = default;
};
void PrintTo(const Placed& line, std::ostream* out) {
  *out << line.at.offset << "/" << line.at.line << (line.oversize ? " oversize " : " ") << line.text.substr(0, 40);
}

struct Read {
  std::vector<Placed> lines;
  Position end;
  std::optional<Error> error;
};

// A log in memory: the contents become the files f0, f1, …
class Log {
 public:
  explicit Log(const std::vector<std::string>& contents) {
    for (const std::string& content : contents) {
      paths_.push_back("d/f" + std::to_string(paths_.size()));
      files_.put(paths_.back(), content);
    }
  }

  Result<std::unique_ptr<LogReader>> open(Position from, size_t chunk_bytes) { return LogReader::open(files_, paths_, from, {chunk_bytes}); }

  Read read(size_t chunk_bytes = 64, Position from = {}) {
    Read read;
    auto reader = open(from, chunk_bytes);
    if (!reader) return {{}, {}, reader.error()};
    Chunk chunk;
    do {
      const auto got = (*reader)->next(chunk);
      if (!got) {
        read.error = got.error();
        return read;
      }
      EXPECT_EQ(chunk.begin.line + chunk.lines.size(), chunk.end.line);
      for (size_t i = 0; i < Chunk::kPaddingBytes; ++i) EXPECT_EQ(chunk.data()[chunk.size() + i], '\0');
      for (size_t i = 0; i < chunk.lines.size(); ++i) {
        const Position at{chunk.begin.offset + chunk.lines[i].offset, chunk.begin.line + i};
        read.lines.push_back({at, std::string(chunk.line(i)), chunk.lines[i].oversize});
      }
      read.end = chunk.end;
    } while (!chunk.last);
    EXPECT_TRUE((*reader)->next(chunk));
    EXPECT_TRUE(chunk.last && chunk.lines.empty()) << "the end stays the end";
    EXPECT_EQ((*reader)->progress().consumed_bytes, (*reader)->progress().total_bytes);
    return read;
  }

  MemoryFileSystem& files() { return files_; }

 private:
  MemoryFileSystem files_;
  std::vector<std::string> paths_;
};

std::vector<std::string> texts(const Read& read) {
  std::vector<std::string> lines;
  for (const Placed& line : read.lines) lines.push_back(line.text);
  return lines;
}

constexpr size_t kChunkSizes[] = {1, 2, 3, 7, 64, 1 << 20};

std::string numbered_lines(size_t count, const std::string& end) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += std::string(i % 11, 'x') + std::to_string(i) + end;
  return text;
}

TEST(LogReader, LinesAreWholeWhateverTheChunkSize) {
  for (const size_t chunk : kChunkSizes) {
    const Read read = Log({"one\ntwo\r\n\nfour\n"}).read(chunk);
    EXPECT_THAT(texts(read), testing::ElementsAre("one", "two", "", "four"));
    EXPECT_EQ(read.end, (Position{15, 4}));
    EXPECT_EQ(read.lines[3].at, (Position{10, 3}));
  }
}

TEST(LogReader, OnlyTheCarriageReturnBeforeTheNewlineIsTaken) {
  for (const size_t chunk : kChunkSizes) EXPECT_THAT(texts(Log({"a\rb\r\r\n\r\nc\r"}).read(chunk)), testing::ElementsAre("a\rb\r", "", "c"));
}

TEST(LogReader, LastLineNeedsNoNewline) {
  for (const size_t chunk : kChunkSizes) {
    const Read read = Log({"one\ntwo"}).read(chunk);
    EXPECT_THAT(texts(read), testing::ElementsAre("one", "two"));
    EXPECT_EQ(read.end, (Position{7, 2}));
  }
}

TEST(LogReader, EmptyLogHasNoLines) {
  EXPECT_TRUE(Log({}).read().lines.empty());
  EXPECT_TRUE(Log({""}).read().lines.empty());
  EXPECT_TRUE(Log({"", "", ""}).read().lines.empty());
}

TEST(LogReader, FilesAreReadAsOneLog) {
  for (const size_t chunk : kChunkSizes) {
    const Read read = Log({"a\nb\n", "", gzip("c\nd"), zstd("e\n"), "f", "g\n", ""}).read(chunk);
    EXPECT_THAT(texts(read), testing::ElementsAre("a", "b", "c", "d", "e", "f", "g"));
    EXPECT_EQ(read.lines[4].at, (Position{7, 4}));
    EXPECT_EQ(read.end, (Position{12, 7}));
  }
}

TEST(LogReader, EveryPositionResumesWithTheSameLines) {
  const std::string a = numbered_lines(60, "\n");
  const std::string b = numbered_lines(40, "\r\n") + "no newline";
  for (const auto& contents : {std::vector<std::string>{a, b, a}, {gzip(a), zstd(b), gzip(a)}, {zstd(a + b), "", gzip(a)}}) {
    Log log(contents);
    const Read whole = log.read(16);
    ASSERT_GE(whole.lines.size(), 160U);
    for (size_t i = 0; i < whole.lines.size(); ++i) {
      const Read rest = log.read(50, whole.lines[i].at);
      ASSERT_FALSE(rest.error) << rest.error->message;
      EXPECT_EQ(rest.lines, std::vector<Placed>(whole.lines.begin() + static_cast<std::ptrdiff_t>(i), whole.lines.end()));
      EXPECT_EQ(rest.end, whole.end);
    }
    EXPECT_TRUE(log.read(50, whole.end).lines.empty());
  }
}

TEST(LogReader, LineAsLongAsAllowedIsWholeAndALongerOneIsShortened) {
  for (const size_t chunk : {size_t{1000}, size_t{1 << 20}, size_t{4 << 20}}) {
    for (const char* end : {"\n", "\r\n", ""}) {
      const std::string longest(event::kMaxRecordBytes, 'a');
      const Read fits = Log({"x\n" + longest + end}).read(chunk);
      ASSERT_EQ(fits.lines.size(), 2U);
      EXPECT_EQ(fits.lines[1].text, longest);
      EXPECT_FALSE(fits.lines[1].oversize);

      const Read over = Log({"x\n" + longest + "b" + end}).read(chunk);
      ASSERT_EQ(over.lines.size(), 2U);
      EXPECT_EQ(over.lines[1].text, std::string(kOversizeKeptBytes, 'a'));
      EXPECT_TRUE(over.lines[1].oversize);
      EXPECT_EQ(over.lines[1].at, (Position{2, 1}));
    }
  }
}

TEST(LogReader, VeryLongLineTakesBoundedMemoryAndKeepsPositions) {
  const std::string text = "one\n" + std::string(5 << 20, 'a') + "\nthree\n" + std::string(3 << 20, 'b') + "\r\n" + numbered_lines(1000, "\n");
  std::vector<Placed> expected;
  for (const size_t chunk : {size_t{4 << 20}, size_t{1}, size_t{1 << 20}, size_t{100'000}}) {
    Log log({text});
    const Read read = log.read(chunk);
    ASSERT_EQ(read.lines.size(), 1004U);
    EXPECT_EQ(read.lines[2].at, (Position{4 + (5 << 20) + 1, 2}));
    EXPECT_EQ(read.lines[2].text, "three");
    EXPECT_EQ(read.end.offset, text.size());
    if (expected.empty()) expected = read.lines;
    EXPECT_EQ(read.lines, expected);
    EXPECT_EQ(log.read(chunk, read.lines[3].at).lines.size(), 1001U);
  }
  auto reader = Log({text}).read(1);
  EXPECT_EQ(reader.lines, expected);
}

TEST(LogReader, LinesBeforeDamageAreDelivered) {
  const std::string text = numbered_lines(20'000, "\n");
  for (const std::string& whole : {gzip(text), zstd(text)}) {
    const Read expected = Log({text}).read();
    const Read read = Log({whole.substr(0, whole.size() * 2 / 3)}).read(1000);
    ASSERT_TRUE(read.error);
    EXPECT_EQ(read.error->kind, ErrorClass::kData);
    EXPECT_THAT(read.error->message, testing::HasSubstr("d/f0"));
    ASSERT_GT(read.lines.size(), 1000U);
    EXPECT_TRUE(std::equal(read.lines.begin(), read.lines.end(), expected.lines.begin()));
  }
}

TEST(LogReader, ErrorIsGivenAgain) {
  Log log({gzip("a\nb\n") + "tail"});
  auto reader = log.open({}, 64).value();
  Chunk chunk;
  ASSERT_TRUE(reader->next(chunk));
  EXPECT_EQ(chunk.lines.size(), 2U);
  EXPECT_FALSE(chunk.last);
  EXPECT_FALSE(reader->next(chunk));
  EXPECT_FALSE(reader->next(chunk));
}

TEST(LogReader, MissingFileIsRefusedBeforeReading) {
  MemoryFileSystem files;
  files.put("d/a", "x\n");
  EXPECT_FALSE(LogReader::open(files, {"d/a", "d/b"}, {}));
}

TEST(LogReader, PositionBehindTheEndIsRefused) {
  for (const std::string& content : {std::string("a\nb\n"), gzip("a\nb\n")}) {
    const Read read = Log({content}).read(64, {5, 2});
    ASSERT_TRUE(read.error);
    EXPECT_EQ(read.error->kind, ErrorClass::kData);
  }
}

TEST(LogReader, LogThatGrewBehindItsLastNewlineGoesOn) {
  Log log({"a\n"});
  const Position end = log.read().end;
  log.files().put("d/f0", "a\nb\n");
  EXPECT_THAT(texts(log.read(64, end)), testing::ElementsAre("b"));
}

TEST(LogReader, LogThatGrewWithinALineIsRefused) {
  for (const bool compressed : {false, true}) {
    const auto pack = [&](const std::string& text) { return compressed ? zstd(text) : text; };
    Log log({pack("a\nhalf")});
    const Position end = log.read().end;
    log.files().put("d/f0", pack("a\nhalf of it\n"));
    const Read read = log.read(64, end);
    ASSERT_TRUE(read.error);
    EXPECT_THAT(read.error->message, testing::HasSubstr("middle of a line"));
  }
}

TEST(LogReader, ProgressCountsBytesOnDisk) {
  const std::string packed = gzip(numbered_lines(100'000, "\n"));
  Log log({packed, "tail\n"});
  auto reader = log.open({}, 1 << 16).value();
  EXPECT_EQ(reader->progress().total_bytes, packed.size() + 5);
  EXPECT_EQ(reader->progress().consumed_bytes, 0U);
  Chunk chunk;
  uint64_t before = 0;
  do {
    ASSERT_TRUE(reader->next(chunk));
    EXPECT_GE(reader->progress().consumed_bytes, before);
    before = reader->progress().consumed_bytes;
  } while (!chunk.last);
  EXPECT_EQ(before, packed.size() + 5);
}

}  // namespace
}  // namespace segue::filelog
