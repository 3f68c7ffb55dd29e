// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/time.h"

namespace segue::segment {

// A mistake within one condition's text; `begin` is a byte offset into it.
struct TextError {
  size_t begin = 0;
  std::string message;
};

enum class TokenKind : uint8_t { kEnd, kNumber, kDuration, kDate, kText, kName, kSymbol };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  size_t begin = 0;  // byte offsets into the condition
  size_t end = 0;
  std::string text;   // kText: without quotes; kName; kSymbol in its ASCII form
  double number = 0;  // kNumber; kDuration in ms; kDate in ms of local time
};

// Splits a condition into tokens; the last is kEnd. Full-width brackets, quotes and commas, and the signs ≥ ≤ ≠, count as their ASCII forms: a
// Chinese keyboard writes them.
tl::expected<std::vector<Token>, TextError> tokenize(std::string_view text);

// "7d", "12h", "1d12h": whole numbers with ms, s, m, h, d or w. At most 36500 days.
tl::expected<Duration, TextError> parse_duration(std::string_view text);

// The largest unit that gives a whole number: 7d, 90m, 1500ms.
std::string print_duration(Duration duration);

// "2024-11-11" or "2024-11-11T20:00" as milliseconds since 1970 in that same local time. False when it is none.
bool parse_date(std::string_view text, int64_t& local_ms);

// The candidate that `word` was probably meant to be; empty when none is near.
std::string_view closest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace segue::segment
