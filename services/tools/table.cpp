// SPDX-License-Identifier: Apache-2.0
#include "services/tools/table.h"

#include <algorithm>
#include <cstdint>

#include "services/tools/display.h"

namespace segue::tools {

std::string Table::text(const Terminal& terminal) const {
  std::vector<size_t> widths(columns_.size());
  const auto measure = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], display_width(cells[i]));
  };
  measure(header_);
  for (const auto& cells : rows_) measure(cells);
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out = " ";
    // A file has no edge: nothing is cut there.
    size_t left = terminal.is_tty ? terminal.width - std::min<size_t>(terminal.width, 2) : SIZE_MAX;
    for (size_t i = 0; i < cells.size() && i < widths.size() && left > 0; ++i) {
      const size_t width = std::min(widths[i], left);
      const bool last = i + 1 == cells.size();
      out += i == 0 ? " " : "  ";
      // Nothing behind the last text of a line.
      out += columns_[i] == Align::kRight ? padded_left(cells[i], width) : last ? truncated(cells[i], width) : padded(cells[i], width);
      left -= std::min(left, width + 2);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string out;
  if (!header_.empty()) out += terminal.paint.faint(line(header_));
  for (const auto& cells : rows_) out += line(cells);
  return out;
}

}  // namespace segue::tools
