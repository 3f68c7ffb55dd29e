// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/transition_feed.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace segue::serving {
namespace {

class MemoryArchive final : public ByteArchive {
 public:
  std::string bytes;

 private:
  Result<> read_bytes(int32_t /*partition*/, uint64_t from, size_t most, std::string& out) override {
    out = bytes.substr(static_cast<size_t>(from), most);
    return {};
  }
};

class Feed : public testing::Test {
 protected:
  // Everything behind the cursor, a few bytes at a time.
  std::vector<std::string> read_all(FeedCursor& cursor, size_t most = 8) {
    std::vector<std::string> lines;
    for (;;) {
      const auto progress = feed_.read(cursor, most, [&](const TransitionFeed::Line& line) {
        lines.push_back(std::to_string(line.partition) + ":" + std::string(line.text));
        EXPECT_GT(line.end, ends_[line.partition]);
        ends_[line.partition] = line.end;
      });
      EXPECT_TRUE(progress) << progress.error().message;
      if (!progress) return lines;
      gap_ = gap_ || progress->gap;
      if (!progress->more) return lines;
    }
  }

  TransitionFeed feed_{{.bytes = 20}};
  FeedCursor ends_;
  bool gap_ = false;
};

using Lines = std::vector<std::string>;

TEST_F(Feed, TellsWhatComesAfterTheCursorInOrder) {
  feed_.open(0, 0, nullptr);
  feed_.open(1, 0, nullptr);
  FeedCursor cursor = feed_.end();
  feed_.publish(0, "a\nb\n");
  feed_.publish(1, "c\n");
  feed_.publish(0, "d\n");
  EXPECT_EQ(read_all(cursor, 1), (Lines{"0:a", "0:b", "0:d", "1:c"}));
  EXPECT_EQ(cursor, feed_.end());
  EXPECT_EQ(read_all(cursor), Lines());
  feed_.publish(1, "e\n");
  EXPECT_EQ(read_all(cursor), Lines{"1:e"});
}

TEST_F(Feed, GoesOnFromAnyLine) {
  feed_.open(0, 100, nullptr);
  feed_.publish(0, "one\ntwo\nthree\n");
  FeedCursor cursor = {{0, 104}};
  EXPECT_EQ(read_all(cursor), (Lines{"0:two", "0:three"}));
}

TEST_F(Feed, TakesOlderLinesFromTheArchive) {
  const auto archive = std::make_shared<MemoryArchive>();
  archive->bytes = "first\na line that is longer than what is read at once\n";
  feed_.open(0, archive->bytes.size(), archive);
  for (const char* line : {"1234567890\n", "abcdefghij\n", "ABCDEFGHIJ\n"}) {
    archive->bytes += line;
    feed_.publish(0, line);
  }
  FeedCursor cursor = {{0, 0}};
  EXPECT_EQ(read_all(cursor),
            (Lines{"0:first", "0:a line that is longer than what is read at once", "0:1234567890", "0:abcdefghij", "0:ABCDEFGHIJ"}));
  EXPECT_FALSE(gap_);
}

TEST_F(Feed, TellsOfAGapWhereNobodyHasTheOlderLines) {
  feed_.open(0, 0, nullptr);
  for (const char* line : {"1234567890\n", "abcdefghij\n", "ABCDEFGHIJ\n"}) feed_.publish(0, line);
  FeedCursor cursor = {{0, 0}};
  EXPECT_EQ(read_all(cursor), Lines{"0:ABCDEFGHIJ"});
  EXPECT_TRUE(gap_);
}

TEST_F(Feed, TellsOfAGapBehindWhichNothingIs) {
  feed_.open(0, 50, nullptr);
  FeedCursor cursor = {{0, 10}};
  EXPECT_EQ(read_all(cursor), Lines());
  EXPECT_TRUE(gap_);
  EXPECT_EQ(cursor, feed_.end());
}

TEST_F(Feed, RefusesACursorThatIsNoneOfItsPlaces) {
  const auto archive = std::make_shared<MemoryArchive>();
  archive->bytes = "first\n";
  feed_.open(0, archive->bytes.size(), archive);
  feed_.publish(0, "second\n");
  for (const uint64_t place : {3, 9, 14, 1000}) {
    FeedCursor cursor = {{0, place}};
    const auto progress = feed_.read(cursor, 100, [](const TransitionFeed::Line&) {});
    ASSERT_FALSE(progress) << place;
    EXPECT_EQ(progress.error().kind, ErrorClass::kUsage);
  }
}

TEST_F(Feed, TellsOfAnArchiveThatIsShorterThanTheStream) {
  const auto archive = std::make_shared<MemoryArchive>();
  feed_.open(0, 100, archive);
  FeedCursor cursor = {{0, 0}};
  EXPECT_FALSE(feed_.read(cursor, 100, [](const TransitionFeed::Line&) {}));
}

TEST_F(Feed, PassesOverPartitionsThatAreNotHere) {
  feed_.open(0, 0, nullptr);
  feed_.publish(0, "a\n");
  FeedCursor cursor = {{0, 0}, {5, 17}};
  feed_.close(0);
  EXPECT_EQ(read_all(cursor), Lines());
  feed_.open(2, 0, nullptr);
  feed_.publish(2, "b\n");
  EXPECT_EQ(read_all(cursor), Lines{"2:b"});
  EXPECT_EQ(cursor, (FeedCursor{{0, 0}, {2, 2}, {5, 17}}));
}

TEST_F(Feed, WakesThoseWhoWatch) {
  feed_.open(0, 0, nullptr);
  int wakes = 0;
  auto watch = feed_.watch([&] { ++wakes; });
  feed_.publish(0, "a\n");
  feed_.publish(0, "");
  EXPECT_EQ(wakes, 1);
  watch.reset();
  feed_.publish(0, "b\n");
  EXPECT_EQ(wakes, 1);
}

TEST_F(Feed, IsReadWhileItGrows) {
  constexpr int kLines = 5000;
  TransitionFeed feed;  // large enough for all
  feed.open(0, 0, nullptr);
  std::atomic<bool> woken{false};
  const auto watch = feed.watch([&] { woken = true; });
  std::jthread writer([&] {
    for (int i = 0; i < kLines; ++i) feed.publish(0, std::to_string(i) + "\n");
  });
  FeedCursor cursor;
  for (int next = 0; next < kLines;) {
    const auto progress = feed.read(cursor, 100, [&](const TransitionFeed::Line& line) { EXPECT_EQ(line.text, std::to_string(next++)); });
    ASSERT_TRUE(progress && !progress->gap);
    std::this_thread::yield();
  }
  EXPECT_TRUE(woken);
}

}  // namespace
}  // namespace segue::serving
