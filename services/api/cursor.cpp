// SPDX-License-Identifier: Apache-2.0
#include "services/api/cursor.h"

#include <algorithm>
#include <charconv>

namespace segue::api {
namespace {

// Takes a number without sign and leading zeros, and what stands behind it.
template <class Number>
bool take_number(std::string_view& text, Number& number, int base = 10) {
  if (text.empty() || text.front() == '-' || (text.front() == '0' && text.size() > 1 && base == 10 && text[1] >= '0' && text[1] <= '9')) return false;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string to_text(const AudienceCursor& cursor) {
  char hex[17];
  const auto end = std::to_chars(hex, hex + sizeof hex, cursor.fingerprint, 16).ptr;
  return std::string(hex, end) + "." + std::to_string(cursor.partition) + "." + std::to_string(cursor.user);
}

std::optional<AudienceCursor> parse_audience_cursor(std::string_view text) {
  AudienceCursor cursor;
  if (!take_number(text, cursor.fingerprint, 16) || !take(text, '.')) return {};
  if (!take_number(text, cursor.partition) || !take(text, '.')) return {};
  if (!take_number(text, cursor.user) || !text.empty()) return {};
  return cursor;
}

std::string to_text(const serving::FeedCursor& cursor, std::string_view stream) {
  std::string text(stream);
  for (const auto& [partition, place] : cursor) {
    if (!text.empty()) text += '~';
    text += std::to_string(partition) + "." + std::to_string(place);
  }
  return text;
}

std::optional<serving::FeedCursor> parse_feed_cursor(std::string_view text, std::string_view stream) {
  serving::FeedCursor cursor;
  if (text.size() > kMaxCursorBytes || !text.starts_with(stream)) return {};
  text.remove_prefix(stream.size());
  if (!stream.empty() && !take(text, '~')) return {};
  while (cursor.size() < kMaxFeedPartitions) {
    int32_t partition = 0;
    uint64_t place = 0;
    if (!take_number(text, partition) || !take(text, '.') || !take_number(text, place)) return {};
    if (!cursor.emplace(partition, place).second) return {};
    if (text.empty()) return cursor;
    if (!take(text, '~')) return {};
  }
  return {};
}

bool is_feed_cursor(std::string_view text) {
  if (parse_feed_cursor(text)) return true;
  const std::string_view stream = text.substr(0, std::min(text.find('~'), text.size()));
  const bool is_name = std::all_of(stream.begin(), stream.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
  return !stream.empty() && is_name && parse_feed_cursor(text, stream);
}

}  // namespace segue::api
