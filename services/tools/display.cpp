// SPDX-License-Identifier: Apache-2.0
#include "services/tools/display.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace segue::tools {
namespace {

struct CodePoint {
  char32_t value = 0xfffd;
  size_t bytes = 1;
  bool valid = false;
};

// The first character of text that is not empty.
CodePoint first_of(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const size_t size = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;
  if (size == 0 || size > text.size()) return {};
  char32_t value = lead & (0xff >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return {value, size, true};
}

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode 15, East Asian Width W and F, joined to whole blocks.
constexpr auto kWide =
    std::to_array<Range>({{0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},
                          {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x2705, 0x2705},   {0x2728, 0x2728},   {0x274c, 0x274c},   {0x2795, 0x2797},
                          {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},
                          {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18aff},
                          {0x1b000, 0x1b2ff}, {0x1f200, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f7e0, 0x1f7eb}, {0x1f90c, 0x1faff}, {0x20000, 0x3fffd}});
// Combining marks and characters without a width, of the scripts that names are likely to have.
constexpr auto kZeroWidth = std::to_array<Range>({{0x0300, 0x036f},
                                                  {0x0483, 0x0489},
                                                  {0x0591, 0x05bd},
                                                  {0x064b, 0x065f},
                                                  {0x0e31, 0x0e31},
                                                  {0x0e34, 0x0e3a},
                                                  {0x0e47, 0x0e4e},
                                                  {0x1ab0, 0x1aff},
                                                  {0x1dc0, 0x1dff},
                                                  {0x200b, 0x200f},
                                                  {0x202a, 0x202e},
                                                  {0x2060, 0x2069},
                                                  {0x20d0, 0x20ff},
                                                  {0x302a, 0x302d},
                                                  {0x3099, 0x309a},
                                                  {0xfe00, 0xfe0f},
                                                  {0xfe20, 0xfe2f},
                                                  {0xfeff, 0xfeff},
                                                  {0xe0100, 0xe01ef}});

template <size_t kSize>
bool is_in(const std::array<Range, kSize>& ranges, char32_t value) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) { return range.first <= value && value <= range.last; });
}

size_t width_of(char32_t value) {
  if (value < 0x300) return 1;
  if (is_in(kZeroWidth, value)) return 0;
  return is_in(kWide, value) ? 2 : 1;
}

// Directions can be overridden by these: a name must not turn the line around.
bool is_control(char32_t value) {
  return value < 0x20 || (value >= 0x7f && value < 0xa0) || (value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint first = first_of(text);
    if (!first.valid) {
      out += "\xef\xbf\xbd";
    } else if (is_control(first.value)) {
      for (size_t i = 0; i < first.bytes; ++i) {
        const auto byte = static_cast<uint8_t>(text[i]);
        out.append("\\x").push_back("0123456789abcdef"[byte >> 4]);
        out.push_back("0123456789abcdef"[byte & 15]);
      }
    } else {
      out.append(text, 0, first.bytes);
    }
    text.remove_prefix(first.bytes);
  }
  return out;
}

size_t display_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const CodePoint first = first_of(text);
    width += width_of(first.value);
    text.remove_prefix(first.bytes);
  }
  return width;
}

std::string truncated(std::string_view text, size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string out;
  size_t used = 1;  // the ellipsis
  while (!text.empty()) {
    const CodePoint first = first_of(text);
    used += width_of(first.value);
    if (used > width) break;
    out.append(text, 0, first.bytes);
    text.remove_prefix(first.bytes);
  }
  return out + "…";
}

std::string padded(std::string_view text, size_t width) {
  std::string out = truncated(text, width);
  out.append(width - display_width(out), ' ');
  return out;
}

std::string padded_left(std::string_view text, size_t width) {
  const std::string shown = truncated(text, width);
  return std::string(width - display_width(shown), ' ') + shown;
}

std::string bar(double share, size_t width) {
  static constexpr std::array<std::string_view, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (!(share > 0)) return {};
  const auto eighths = std::max<size_t>(1, static_cast<size_t>(std::lround(std::min(share, 1.0) * 8 * static_cast<double>(width))));
  return repeated("█", eighths / 8) + std::string(kEighths[eighths % 8]);
}

std::string repeated(std::string_view piece, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += piece;
  return out;
}

}  // namespace segue::tools
