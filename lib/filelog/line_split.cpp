// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/line_split.h"

#include <cstring>

#include "lib/filelog/log_reader.h"

namespace segue::filelog {

Line make_line(const char* data, size_t begin, size_t end) {
  if (end > begin && data[end - 1] == '\r') --end;
  const size_t size = end - begin;
  if (size > event::kMaxRecordBytes) return {static_cast<uint32_t>(begin), kOversizeKeptBytes, true};
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(size), false};
}

size_t split_lines(const char* data, size_t size, std::vector<Line>& lines) {
  size_t begin = 0;
  while (const void* newline = std::memchr(data + begin, '\n', size - begin)) {
    const auto end = static_cast<size_t>(static_cast<const char*>(newline) - data);
    lines.push_back(make_line(data, begin, end));
    begin = end + 1;
    if (begin == size) break;
  }
  return begin;
}

}  // namespace segue::filelog
