// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "lib/serving/transition_archive.h"
#include "lib/serving/transition_feed.h"

namespace segue::serving {
namespace {

// A topic: has lines from `low` on, fetches when it is told to, and knows where the log ends.
class SlowArchive final : public TransitionArchive {
 public:
  Result<std::optional<FeedStretch>> read(int32_t partition, uint64_t from, uint64_t until, size_t /*most*/) override {
    if (from > end) return no_such_place(partition, from);
    if (from > until || !fetched) return std::nullopt;
    FeedLines found;
    for (const auto& [offset, text] : lines) {
      if (offset < std::max(from, low) || offset >= until) continue;
      found.text += text + "\n";
      found.ends.push_back(offset + 1);
    }
    return FeedStretch{std::max(from, low), until, std::make_shared<const FeedLines>(std::move(found))};
  }

  std::map<uint64_t, std::string> lines;
  uint64_t low = 0;
  uint64_t end = 1000;
  bool fetched = true;
};

class TopicFeed : public testing::Test {
 protected:
  using Lines = std::vector<std::string>;
  Lines read_all(FeedCursor& cursor, size_t most = 8) {
    Lines lines;
    for (;;) {
      const auto progress = feed_.read(cursor, most, [&](const TransitionFeed::Line& line) {
        lines.push_back(std::to_string(line.partition) + "@" + std::to_string(line.end) + ":" + std::string(line.text));
      });
      EXPECT_TRUE(progress) << progress.error().message;
      if (!progress) return lines;
      gap_ = gap_ || progress->gap;
      if (!progress->more) return lines;
    }
  }
  static FeedLines lines(std::initializer_list<std::pair<uint64_t, const char*>> records) {
    FeedLines made;
    for (const auto& [offset, text] : records) made.text.append(text).push_back('\n'), made.ends.push_back(offset + 1);
    return made;
  }

  TransitionFeed feed_{{.bytes = 20, .places = FeedPlaces::kOffsets}};
  std::shared_ptr<SlowArchive> archive_ = std::make_shared<SlowArchive>();
  bool gap_ = false;
};

TEST_F(TopicFeed, APlaceIsTheOffsetBehindTheRecord) {
  feed_.open({{0, 10}}, archive_);
  FeedCursor cursor = feed_.end();
  feed_.publish(0, lines({{11, "a"}, {14, "b"}}), 16);
  feed_.publish(0, lines({{16, "c"}}), 17);
  EXPECT_EQ(read_all(cursor, 1), (Lines{"0@12:a", "0@15:b", "0@17:c"}));
  EXPECT_EQ(cursor, (FeedCursor{{0, 17}}));
}

TEST_F(TopicFeed, GoesOnFromAnyOffset) {
  feed_.open({{0, 10}}, archive_);
  feed_.publish(0, lines({{11, "a"}, {14, "b"}}), 16);
  feed_.publish(0, lines({{17, "c"}}), 18);
  for (const uint64_t place : {12, 13, 14}) {
    FeedCursor cursor{{0, place}};
    EXPECT_EQ(read_all(cursor), (Lines{"0@15:b", "0@18:c"})) << place;
  }
  for (const uint64_t place : {15, 16, 17}) {
    FeedCursor cursor{{0, place}};
    EXPECT_EQ(read_all(cursor), Lines{"0@18:c"}) << place;
  }
}

TEST_F(TopicFeed, ACursorPassesOverMarkers) {
  feed_.open({{0, 10}}, archive_);
  FeedCursor cursor = feed_.end();
  feed_.publish(0, {}, 12);
  EXPECT_EQ(read_all(cursor), Lines());
  EXPECT_EQ(cursor, (FeedCursor{{0, 12}}));
  feed_.publish(0, lines({{12, "a"}}), 13);
  feed_.publish(0, {}, 14);
  EXPECT_EQ(read_all(cursor), Lines{"0@13:a"});
  EXPECT_EQ(cursor, (FeedCursor{{0, 14}}));
  FeedCursor before{{0, 10}};
  EXPECT_EQ(read_all(before), Lines{"0@13:a"});
}

TEST_F(TopicFeed, MarkersWakeNobody) {
  feed_.open({{0, 10}}, archive_);
  int wakes = 0;
  const auto watch = feed_.watch([&] { ++wakes; });
  feed_.publish(0, {}, 12);
  EXPECT_EQ(wakes, 0);
  feed_.wake();
  feed_.publish(0, lines({{12, "a"}}), 13);
  EXPECT_EQ(wakes, 2);
}

TEST_F(TopicFeed, OthersGoOnWhileTheArchiveFetches) {
  archive_->lines = {{3, "old"}, {7, "older than memory"}};
  archive_->fetched = false;
  feed_.open({{0, 10}, {1, 5}}, archive_);
  feed_.publish(0, lines({{10, "new"}}), 11);
  feed_.publish(1, lines({{5, "x"}}), 6);
  FeedCursor cursor{{0, 2}, {1, 5}};
  EXPECT_EQ(read_all(cursor), Lines{"1@6:x"});
  EXPECT_EQ(cursor, (FeedCursor{{0, 2}, {1, 6}}));
  archive_->fetched = true;
  EXPECT_EQ(read_all(cursor, 100), (Lines{"0@4:old", "0@8:older than memory", "0@11:new"}));
  EXPECT_FALSE(gap_);
}

TEST_F(TopicFeed, TellsOfWhatRetentionHasTaken) {
  archive_->lines = {{3, "gone"}, {7, "there"}};
  archive_->low = 5;
  feed_.open({{0, 10}}, archive_);
  FeedCursor cursor{{0, 2}};
  EXPECT_EQ(read_all(cursor), Lines{"0@8:there"});
  EXPECT_TRUE(gap_);
  EXPECT_EQ(cursor, feed_.end());
}

TEST_F(TopicFeed, APartitionThatTheCursorLacksIsNewAndToldWhole) {
  archive_->lines = {{0, "first"}};
  feed_.open({{0, 10}, {1, 2}}, archive_);
  FeedCursor cursor{{0, 10}};
  EXPECT_EQ(read_all(cursor), Lines{"1@1:first"});
  EXPECT_EQ(cursor, feed_.end());
}

TEST_F(TopicFeed, WaitsForAPlaceThatAnotherInstanceHasTold) {
  feed_.open({{0, 10}}, archive_);
  FeedCursor cursor{{0, 12}};
  EXPECT_EQ(read_all(cursor), Lines());
  EXPECT_EQ(cursor, (FeedCursor{{0, 12}}));
  feed_.publish(0, lines({{10, "told there"}, {11, "too"}, {12, "a"}}), 13);
  EXPECT_EQ(read_all(cursor), Lines{"0@13:a"});
}

TEST_F(TopicFeed, RefusesAPlaceBehindTheLog) {
  feed_.open({{0, 10}}, archive_);
  FeedCursor cursor{{0, 1001}};
  const auto progress = feed_.read(cursor, 100, [](const TransitionFeed::Line&) {});
  ASSERT_FALSE(progress);
  EXPECT_EQ(progress.error().kind, ErrorClass::kUsage);
}

TEST_F(TopicFeed, PartitionsShareTheMemory) {
  TransitionFeed feed({.bytes = 1000, .all_bytes = 40, .places = FeedPlaces::kOffsets});
  archive_->low = 1000;
  feed.open({{0, 0}, {1, 0}}, archive_);
  for (uint64_t i = 0; i < 4; ++i) feed.publish(0, lines({{i, "123456789"}}), i + 1);
  FeedCursor cursor{{0, 0}, {1, 0}};
  size_t told = 0;
  const auto progress = feed.read(cursor, 1000, [&](const TransitionFeed::Line&) { ++told; });
  ASSERT_TRUE(progress);
  EXPECT_TRUE(progress->gap);
  EXPECT_EQ(told, 2U);
}

TEST_F(TopicFeed, OpenedAnewItForgetsWhatItHad) {
  feed_.open({{0, 10}}, archive_);
  feed_.publish(0, lines({{10, "of the log before"}}), 11);
  archive_->end = 4;
  feed_.open({{0, 4}}, archive_);
  FeedCursor cursor{{0, 4}};
  feed_.publish(0, lines({{4, "a"}}), 5);
  EXPECT_EQ(read_all(cursor), Lines{"0@5:a"});
}

}  // namespace
}  // namespace segue::serving
