// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "lib/event/event.h"
#include "lib/filelog/log_reader.h"

namespace segue::filelog {

// A line of the largest allowed size with \r but still without \n is not yet known to be too long; one byte more is.
inline constexpr size_t kLongestLineBytes = event::kMaxRecordBytes + 2;

// The line of the bytes [begin, end), without its newline.
Line make_line(const char* data, size_t begin, size_t end);
// Adds the lines that end within the bytes; returns where the last one's newline ends.
size_t split_lines(const char* data, size_t size, std::vector<Line>& lines);

}  // namespace segue::filelog
