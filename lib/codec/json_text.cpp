// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/json_text.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "lib/base/assert.h"

namespace segue::codec {
namespace {

// A double holds these exactly, and every mantissa below 2^53: then one division is correctly rounded.
constexpr std::array<double, 8> kPowersOfTen = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};

bool is_digit(char c) { return static_cast<uint8_t>(c - '0') < 10; }

// What may follow a number, true, false or null.
bool ends_scalar(char c) {
  switch (c) {
    case ',':
    case '}':
    case ']':
    case ' ':
    case '\n':
    case '\r':
    case '\t':
      return true;
    default:
      return false;
  }
}

bool has_eight_digits(uint64_t word) { return ((word & (word + 0x0606060606060606ULL)) & 0xf0f0f0f0f0f0f0f0ULL) == 0x3030303030303030ULL; }
// The value of eight ASCII digits, the first in the lowest byte: pairs, then fours, then all.
uint64_t eight_digits(uint64_t word) {
  word -= 0x3030303030303030ULL;
  word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ffULL;
  word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffffULL;
  return (word * 10000 + (word >> 32)) & 0xffffffffULL;
}

// Adds digits to `mantissa` (modulo 2^64; the caller counts them) and goes behind the last.
const char* read_digits(const char* p, uint64_t& mantissa) {
  uint64_t word;
  for (std::memcpy(&word, p, 8); has_eight_digits(word); std::memcpy(&word, p, 8)) mantissa = mantissa * 100000000 + eight_digits(word), p += 8;
  for (; is_digit(*p); ++p) mantissa = mantissa * 10 + static_cast<uint64_t>(*p - '0');
  return p;
}

// The general case: any length, any exponent. False where the value is beyond the largest double.
bool read_double(const char* begin, const char* end, double& value) {
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error == std::errc{} && stop == end) return std::isfinite(value);
  // Out of range either way: below the smallest double it is zero, and that is no fault. The place of the first digit that counts decides.
  const bool negative = *begin == '-';
  const char* p = begin + negative;
  int64_t place = 0, shift = 0;
  bool seen = false, fraction = false;
  for (; p != end && *p != 'e' && *p != 'E'; ++p) {
    if (*p == '.') {
      fraction = true;
      continue;
    }
    seen = seen || *p != '0';
    if (fraction && !seen) --place;
    if (!fraction && seen) ++place;
  }
  if (p != end) {
    ++p;
    const bool minus = *p == '-';
    if (*p == '-' || *p == '+') ++p;
    for (; p != end; ++p) shift = std::min<int64_t>(shift * 10 + (*p - '0'), 1'000'000'000);
    if (minus) shift = -shift;
  }
  value = negative ? -0.0 : 0.0;
  return place + shift < 0;
}

// `length` bytes from `begin`, 1 to 8, behind as many '0' as make eight. Reads 8 bytes.
uint64_t right_aligned(const char* begin, uint32_t length) {
  uint64_t word;
  std::memcpy(&word, begin, 8);
  const unsigned missing = 8 * (8 - length);
  // In two steps, as eight bytes cannot be shifted out at once.
  return word << missing | 0x3030303030303030ULL >> 1 >> (63 - missing);
}

// Reads 9 to 16 digits that end right where the next token begins. False means only that read_number() has to look. Reads 16 bytes.
bool read_short_whole(const char* begin, uint32_t length, int64_t& out) {
  if (length - 9 > 7 || *begin == '0') return false;
  const uint64_t first = right_aligned(begin, length - 8);
  uint64_t last;
  std::memcpy(&last, begin + length - 8, 8);
  if (!has_eight_digits(first) || !has_eight_digits(last)) return false;
  out = static_cast<int64_t>(eight_digits(first) * 100000000 + eight_digits(last));
  return true;
}

// Reads up to 8 bytes, digits with a point among them, that end right where the next token begins. No branch depends on the digits. False means
// only that read_number() has to look. Reads 8 bytes.
bool read_short_decimal(const char* begin, uint32_t length, double& out) {
  if (length - 1 > 7 || !is_digit(*begin) || (*begin == '0' && begin[1] != '.')) return false;
  uint64_t word = right_aligned(begin, length);
  const uint64_t difference = word ^ 0x2e2e2e2e2e2e2e2eULL;
  // The highest bit of the first byte that is a point. Marks on bytes behind it may be wrong and are not used.
  const uint64_t points = (difference - 0x0101010101010101ULL) & ~difference & 0x8080808080808080ULL;
  if (points == 0) return false;
  const int point = std::countr_zero(points) & ~7;
  if (point == 56) return false;
  // Closes the gap: the bytes before the point move up by one.
  const uint64_t before = (uint64_t{1} << point) - 1;
  word = (word & ~uint64_t{0} << (point + 8)) | (word & before) << 8 | 0x30;
  if (!has_eight_digits(word)) return false;
  out = static_cast<double>(eight_digits(word)) / kPowersOfTen[static_cast<size_t>(7 - point / 8)];
  return true;
}

// Reads any number. False where it is none.
bool read_number(const char* begin, JsonNumber& out) {
  const bool negative = *begin == '-';
  const char* const digits = begin + negative;
  if (!is_digit(*digits)) return false;
  uint64_t mantissa = 0;
  const char* p = read_digits(digits, mantissa);
  if (*digits == '0' && p - digits > 1) return false;
  const ptrdiff_t count = p - digits;
  out.is_whole = *p != '.' && (*p | 0x20) != 'e';
  if (out.is_whole) {
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    out.whole = count <= 18 ? static_cast<int64_t>(mantissa) : kMost;
    if (negative) out.whole = -out.whole;
    if (!ends_scalar(*p)) return false;
    // Below 10^15 every whole number is a double.
    if (count <= 15) return out.value = negative ? -static_cast<double>(mantissa) : static_cast<double>(mantissa), true;
    return read_double(begin, p, out.value);
  }
  if (*p == '.') {
    if (!is_digit(*++p)) return false;
    p = read_digits(p, mantissa);
  }
  if ((*p | 0x20) == 'e') {
    ++p;
    if (*p == '-' || *p == '+') ++p;
    if (!is_digit(*p)) return false;
    while (is_digit(*p)) ++p;
  }
  return ends_scalar(*p) && read_double(begin, p, out.value);
}

// Four hexadecimal digits at `p`, or empty.
std::optional<uint32_t> read_hex(const char* p, const char* end) {
  if (end - p < 4) return std::nullopt;
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = p[i];
    const char lower = static_cast<char>(c | 0x20);
    if (is_digit(c))
      value = value * 16 + static_cast<uint32_t>(c - '0');
    else if (lower >= 'a' && lower <= 'f')
      value = value * 16 + static_cast<uint32_t>(lower - 'a' + 10);
    else
      return std::nullopt;
  }
  return value;
}

char* write_utf8(char* out, uint32_t code) {
  const auto put = [&](uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) return put(code), out;
  if (code < 0x800) return put(0xc0 | code >> 6), put(0x80 | (code & 0x3f)), out;
  if (code < 0x10000) return put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f)), out;
  return put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f)), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f)), out;
}

// The code point of the \u escape whose digits begin at `p`; goes behind it, and behind the second half of a surrogate pair. Half a pair is refused.
std::optional<uint32_t> read_code_point(const char*& p, const char* end) {
  const auto high = read_hex(p, end);
  if (!high) return std::nullopt;
  p += 4;
  if (*high < 0xd800 || *high > 0xdfff) return high;
  if (*high > 0xdbff || end - p < 6 || p[0] != '\\' || p[1] != 'u') return std::nullopt;
  const auto low = read_hex(p + 2, end);
  if (!low || *low < 0xdc00 || *low > 0xdfff) return std::nullopt;
  p += 6;
  return 0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00);
}

// Unescapes into `out`, which holds as many bytes as `raw` (no escape is shorter than what it stands for). Null where an escape is not JSON's.
char* unescape_into(std::string_view raw, char* out) {
  const char* p = raw.data();
  const char* const end = p + raw.size();
  while (p != end) {
    if (*p != '\\') {
      *out++ = *p++;
      continue;
    }
    if (++p == end) return nullptr;
    switch (const char c = *p++) {
      case '"':
      case '\\':
      case '/':
        *out++ = c;
        break;
      case 'b':
        *out++ = '\b';
        break;
      case 'f':
        *out++ = '\f';
        break;
      case 'n':
        *out++ = '\n';
        break;
      case 'r':
        *out++ = '\r';
        break;
      case 't':
        *out++ = '\t';
        break;
      case 'u': {
        const auto code = read_code_point(p, end);
        if (!code) return nullptr;
        out = write_utf8(out, *code);
        break;
      }
      default:
        return nullptr;
    }
  }
  return out;
}

// The same check without the result.
bool has_valid_escapes(std::string_view raw) {
  char sink[4];
  const char* p = raw.data();
  const char* const end = p + raw.size();
  while ((p = static_cast<const char*>(std::memchr(p, '\\', static_cast<size_t>(end - p)))) != nullptr) {
    const char* const next = p + 1 < end && p[1] == 'u' ? p + 2 : nullptr;
    if (next == nullptr) {
      if (end - p < 2 || unescape_into({p, 2}, sink) == nullptr) return false;
      p += 2;
    } else {
      p = next;
      if (!read_code_point(p, end)) return false;
    }
    if (p == end) break;
  }
  return true;
}

}  // namespace

JsonIndex::JsonIndex() = default;
JsonIndex::JsonIndex(JsonIndex&&) noexcept = default;
JsonIndex& JsonIndex::operator=(JsonIndex&&) noexcept = default;
JsonIndex::~JsonIndex() = default;

bool JsonIndex::build(std::string_view text) {
  constexpr size_t kSmallest = 64 * 1024;
  if (text.size() > capacity_ || parser_ == nullptr) {
    capacity_ = std::max(kSmallest, text.size());
    // Stage 1 needs no depth; the parser insists on one.
    const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(capacity_, 1, parser_);
    SEGUE_ASSERT(error == simdjson::SUCCESS);
  }
  size_ = 0;
  if (text.empty()) return false;
  const auto error = parser_->stage1(reinterpret_cast<const uint8_t*>(text.data()), text.size(), simdjson::stage1_mode::regular);
  if (error != simdjson::SUCCESS) return false;
  tokens_ = parser_->structural_indexes.get();
  size_ = parser_->n_structural_indexes;
  return true;
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

bool JsonText::is_literal(uint32_t token, std::string_view literal) const {
  const char* p = at(token);
  return std::memcmp(p, literal.data(), literal.size()) == 0 && ends_scalar(p[literal.size()]);
}

bool JsonText::number(uint32_t token, JsonNumber& out) const {
  // A number that is the last token would have its end decided by what stands behind the text; no object or array ends like that.
  if (token + 1 >= size_) return false;
  const char* const begin = at(token);
  if (read_short_decimal(begin, tokens_[token + 1] - tokens_[token], out.value)) return out.is_whole = false, true;
  return read_number(begin, out);
}

bool JsonText::whole(uint32_t token, int64_t& out) const {
  if (token + 1 >= size_) return false;
  const char* const begin = at(token);
  const uint32_t length = tokens_[token + 1] - tokens_[token];
  if (length == 1 && is_digit(*begin)) return out = *begin - '0', true;
  if (read_short_whole(begin, length, out)) return true;
  JsonNumber number;
  if (!read_number(begin, number) || !number.is_whole) return false;
  return out = number.whole, true;
}

bool JsonText::skip_scalar(uint32_t token) const {
  JsonNumber ignored;
  switch (first(token)) {
    case '"':
      return !has_escapes_ || has_valid_escapes(raw_string(token));
    case 't':
      return is_literal(token, "true");
    case 'f':
      return is_literal(token, "false");
    case 'n':
      return is_literal(token, "null");
    default:
      return number(token, ignored);
  }
}

uint32_t JsonText::skip(uint32_t token, unsigned depth) const {
  uint64_t objects = 0;  // one bit for each open container, the innermost lowest: set for an object
  const unsigned outside = depth;
  while (true) {
    // A member's name comes first where an object is open; then the value.
    if (depth > outside && (objects & 1) != 0) {
      if (token + 2 >= size_ || first(token) != '"' || first(token + 1) != ':' || !skip_scalar(token)) return 0;
      token += 2;
    }
    if (token >= size_) return 0;
    const char c = first(token);
    if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return 0;
      objects = objects << 1 | (c == '{');
      if (++token >= size_) return 0;
      if (first(token) != (c == '{' ? '}' : ']')) continue;
    } else {
      if (!skip_scalar(token)) return 0;
      ++token;
    }
    // Here `token` is behind a value, or closes an empty container.
    while (true) {
      if (depth == outside) return token;
      if (token >= size_) return 0;
      const char next = first(token);
      if (next == ',') break;
      if (next != ((objects & 1) != 0 ? '}' : ']')) return 0;
      objects >>= 1, --depth, ++token;
    }
    ++token;
  }
}

std::string_view JsonText::unescape(std::string_view raw, Arena& arena) {
  char* const begin = arena.allocate(raw.size(), 1);
  const char* const end = unescape_into(raw, begin);
  if (end == nullptr) return {};
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace segue::codec
