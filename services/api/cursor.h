// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/serving/transition_feed.h"

// Places to go on from, as text that clients keep and give back.
namespace segue::api {

// In an audience: the next user to look at.
struct AudienceCursor {
  uint64_t fingerprint = 0;  // of expression and definitions: a cursor is good for what it was made for
  int32_t partition = 0;
  uint32_t user = 0;

  friend bool operator==(const AudienceCursor&, const AudienceCursor&) = default;
};
std::string to_text(const AudienceCursor& cursor);
// Empty for anything else than to_text() gives.
std::optional<AudienceCursor> parse_audience_cursor(std::string_view text);

// Of the transition stream with this name (TransitionFeed::Options). At most kMaxFeedPartitions.
inline constexpr size_t kMaxFeedPartitions = 4096;
inline constexpr size_t kMaxCursorBytes = 65536;
std::string to_text(const serving::FeedCursor& cursor, std::string_view stream = {});
std::optional<serving::FeedCursor> parse_feed_cursor(std::string_view text, std::string_view stream = {});
// Whether it is one of any stream: an engine's of an earlier version, or of another topic.
bool is_feed_cursor(std::string_view text);

}  // namespace segue::api
