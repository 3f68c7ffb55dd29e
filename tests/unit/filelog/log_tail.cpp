// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/log_tail.h"

#include <gtest/gtest.h>

#include <random>

#include "lib/event/event.h"
#include "lib/filelog/memory_file_system.h"

namespace segue::filelog {
namespace {

struct Seen {
  std::string bytes;  // up to an oversize line's kept bytes
  uint64_t offset = 0;
  uint64_t line = 0;
  bool oversize = false;
  friend bool operator==(const Seen&, const Seen&) = default;
};

void collect(const Chunk& chunk, std::vector<Seen>& seen) {
  for (size_t i = 0; i < chunk.lines.size(); ++i)
    seen.push_back({std::string(chunk.line(i)), chunk.begin.offset + chunk.lines[i].offset, chunk.begin.line + i, chunk.lines[i].oversize});
}

class Tail : public testing::Test {
 protected:
  std::unique_ptr<LogTail> open(Position from = {}, size_t chunk_bytes = 64) {
    auto tail = LogTail::open(files_, "log", from, {.chunk_bytes = chunk_bytes});
    EXPECT_TRUE(tail) << tail.error().message;
    return tail ? std::move(*tail) : nullptr;
  }
  void append(std::string_view bytes) {
    text_ += bytes;
    files_.put("log", text_);
  }
  // Until nothing comes any more.
  std::vector<Seen> read(LogTail& tail, uint64_t limit) {
    std::vector<Seen> seen;
    Chunk chunk;
    for (;;) {
      EXPECT_TRUE(tail.next(chunk, limit));
      EXPECT_EQ(chunk.end, tail.position());
      if (chunk.lines.empty()) return seen;
      collect(chunk, seen);
    }
  }
  std::vector<Seen> read_finished() {
    std::vector<Seen> seen;
    Chunk chunk;
    auto reader = LogReader::open(files_, {"log"}, {});
    EXPECT_TRUE(reader);
    do {
      EXPECT_TRUE((*reader)->next(chunk));
      collect(chunk, seen);
    } while (!chunk.last);
    return seen;
  }

  MemoryFileSystem files_;
  std::string text_;
};

TEST_F(Tail, GivesNothingOfALineThatDoesNotEndBeforeTheLimit) {
  append("one\ntwo\n");
  const auto tail = open();
  EXPECT_TRUE(read(*tail, 0).empty());
  EXPECT_TRUE(read(*tail, 3).empty());
  EXPECT_EQ(read(*tail, 7), (std::vector<Seen>{{"one", 0, 0}}));
  EXPECT_EQ(tail->position(), (Position{4, 1}));
  EXPECT_EQ(read(*tail, 8), (std::vector<Seen>{{"two", 4, 1}}));
}

TEST_F(Tail, FollowsAFileThatGrows) {
  append("");
  const auto tail = open();
  EXPECT_TRUE(read(*tail, text_.size()).empty());
  append("one\nt");
  // What is appended is seen by a reader that has the file open.
  const auto again = open();
  EXPECT_EQ(read(*again, text_.size()), (std::vector<Seen>{{"one", 0, 0}}));
}

TEST_F(Tail, GivesWhatAReaderOfTheFinishedFileGives) {
  std::mt19937_64 random(17);
  for (int round = 0; round < 30; ++round) {
    text_.clear();
    for (int i = 0; i < 40; ++i) {
      const bool huge = random() % 20 == 0;
      text_ += std::string(huge ? event::kMaxRecordBytes - 2 + random() % 5 : random() % 200, static_cast<char>('a' + random() % 26));
      text_ += random() % 4 == 0 ? "\r\n" : "\n";
    }
    append("");
    const auto expected = read_finished();
    const auto tail = open({}, 1 + random() % 500);
    std::vector<Seen> seen;
    for (uint64_t limit = 0; limit < text_.size();) {
      limit = std::min<uint64_t>(text_.size(), limit + random() % (event::kMaxRecordBytes / 3));
      for (Seen& line : read(*tail, limit)) seen.push_back(std::move(line));
    }
    ASSERT_EQ(seen, expected) << "round " << round;
  }
}

TEST_F(Tail, GoesOnWhereItStopped) {
  append("one\ntwo\n");
  const auto tail = open({4, 1});
  EXPECT_EQ(read(*tail, 8), (std::vector<Seen>{{"two", 4, 1}}));
}

TEST_F(Tail, RefusesAPlaceWhereNoLineBegins) {
  append("one\ntwo\n");
  for (const uint64_t offset : {5, 9, 100}) {
    const auto tail = LogTail::open(files_, "log", {offset, 1});
    ASSERT_FALSE(tail) << offset;
    EXPECT_EQ(tail.error().kind, ErrorClass::kData);
  }
}

TEST_F(Tail, RefusesACompressedFile) {
  append("\x1f\x8b\x08 and so on\n");
  const auto tail = LogTail::open(files_, "log", {});
  ASSERT_FALSE(tail);
  EXPECT_EQ(tail.error().kind, ErrorClass::kUsage);
}

TEST_F(Tail, TellsOfAFileThatHasBecomeShorter) {
  append("one\ntwo\n");
  const auto tail = open();
  Chunk chunk;
  const auto read = tail->next(chunk, 100);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorClass::kData);
}

}  // namespace
}  // namespace segue::filelog
