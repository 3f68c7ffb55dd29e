// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace segue::tools {

// Text as it may be shown on a terminal: control characters become \xNN, bytes that are not UTF-8 become U+FFFD. Names come from strangers, and an
// escape sequence in one must not reach the terminal.
std::string printable(std::string_view text);

// Columns that printable UTF-8 takes on a terminal: two for Chinese, Japanese and Korean characters and emoji, none for combining marks.
size_t display_width(std::string_view text);

// At most `width` columns, the last one an ellipsis where something was cut.
std::string truncated(std::string_view text, size_t width);
// Exactly `width` columns: cut or filled with spaces behind, or before the text.
std::string padded(std::string_view text, size_t width);
std::string padded_left(std::string_view text, size_t width);

// A bar of `share` (0 to 1) of `width` columns, to an eighth of a column. Anything above zero shows.
std::string bar(double share, size_t width);
std::string repeated(std::string_view piece, size_t count);

}  // namespace segue::tools
