// SPDX-License-Identifier: Apache-2.0
#include "services/api/cursor.h"

#include <gtest/gtest.h>

namespace segue::api {
namespace {

TEST(Cursor, AnAudienceCursorReadsBackAsItWasWritten) {
  const AudienceCursor cursor{.fingerprint = 0xfedcba9876543210, .partition = 17, .user = 4'000'000'000};
  EXPECT_EQ(parse_audience_cursor(to_text(cursor)), cursor);
  EXPECT_EQ(parse_audience_cursor(to_text(AudienceCursor{})), AudienceCursor{});
}

TEST(Cursor, AFeedCursorReadsBackAsItWasWritten) {
  const serving::FeedCursor cursor{{0, 0}, {3, 12345678901234}, {255, 7}};
  EXPECT_EQ(parse_feed_cursor(to_text(cursor)), cursor);
}

TEST(Cursor, AFeedCursorIsOfItsStream) {
  const serving::FeedCursor cursor{{0, 0}, {3, 7}};
  const std::string text = to_text(cursor, "1a2b3c4d");
  EXPECT_EQ(parse_feed_cursor(text, "1a2b3c4d"), cursor);
  for (const char* stream : {"", "1a2b3c4e", "1a2b"}) EXPECT_FALSE(parse_feed_cursor(text, stream)) << stream;
  EXPECT_FALSE(parse_feed_cursor(to_text(cursor), "1a2b3c4d"));
  EXPECT_TRUE(is_feed_cursor(text) && is_feed_cursor(to_text(cursor)));
  for (const char* other : {"", "~", "1a2b3c4d", "1a2b3c4d~", "~0.1", "1a2b3c4d~0.1~", "1A2B3C4D~0.1"}) EXPECT_FALSE(is_feed_cursor(other)) << other;
}

TEST(Cursor, OtherTextsAreNone) {
  for (const char* text : {"", "x", "1", "1.2", "1.2.", "1.2.3.4", "1.2.3 ", "1.-2.3", "1.2.4294967296", "11111111111111111.1.1", "g.1.1", "1.02.3"})
    EXPECT_FALSE(parse_audience_cursor(text)) << text;
  for (const char* text : {"", "x", "1", "1.", ".1", "1.2~", "~1.2", "1.2~1.3", "-1.2", "1.-2", "1.18446744073709551616", "01.2", "1.2 "})
    EXPECT_FALSE(parse_feed_cursor(text)) << text;
  EXPECT_FALSE(parse_feed_cursor(std::string(kMaxCursorBytes + 1, '1')));
}

}  // namespace
}  // namespace segue::api
