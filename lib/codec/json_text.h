// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "lib/base/arena.h"

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace segue::codec {

// Finds where the tokens of JSON text begin: simdjson's first stage, with the widest vectors that this machine has. It also proves that the text is
// UTF-8, that every string is closed and that none holds a control character. Everything else is left to the reader (JsonText).
class JsonIndex {
 public:
  JsonIndex();
  JsonIndex(JsonIndex&&) noexcept;
  JsonIndex& operator=(JsonIndex&&) noexcept;
  ~JsonIndex();

  // False when one of these proofs fails or there is no token at all. Memory grows to the longest text seen: four bytes for each of its bytes.
  bool build(std::string_view text);

  // Offsets of the tokens: { } [ ] : , an opening quote, the first byte of anything else. Behind the last stands text.size(), once at least.
  const uint32_t* tokens() const { return tokens_; }
  uint32_t size() const { return size_; }

 private:
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
  size_t capacity_ = 0;
  const uint32_t* tokens_ = nullptr;
  uint32_t size_ = 0;
};

bool is_utf8(std::string_view text);

// A number as JSON has it.
struct JsonNumber {
  double value = 0;       // correctly rounded; always finite
  int64_t whole = 0;      // its value where is_whole; beyond 18 digits the end of the range
  bool is_whole = false;  // written without fraction and exponent
};

// Containers within each other, the outermost counted. A deeper record is refused: the bits of one word are the reader's whole stack.
inline constexpr unsigned kMaxDepth = 64;

// Reads strict JSON (RFC 8259) along the tokens of a JsonIndex. A token is named by its number. Bytes up to 16 behind the text are read, and
// do not change any result.
class JsonText {
 public:
  JsonText() = default;
  // `text` is what the index was built from. `has_escapes` may be false only when the part that is read has no backslash.
  JsonText(std::string_view text, const JsonIndex& index, bool has_escapes)
      : text_(text.data()), tokens_(index.tokens()), size_(index.size()), has_escapes_(has_escapes) {}

  uint32_t size() const { return size_; }
  uint32_t offset(uint32_t token) const { return tokens_[token]; }
  // Requires token <= size(); at size() it is whatever stands behind the text.
  char first(uint32_t token) const { return text_[tokens_[token]]; }
  bool has_escapes() const { return has_escapes_; }
  bool opens_container(uint32_t token) const { return (first(token) | 0x20) == '{'; }
  const char* at(uint32_t token) const { return text_ + tokens_[token]; }

  // The bytes between the quotes of the string that begins at `token` < size(), escapes untouched.
  std::string_view raw_string(uint32_t token) const {
    const char* begin = at(token) + 1;
    const char* end = at(token + 1) - 1;
    // Between the closing quote and the next token there is only white space.
    while (*end != '"') --end;
    return {begin, static_cast<size_t>(end - begin)};
  }
  // The string's value: in the text itself, or unescaped into the arena. data() is null where an escape is not JSON's or half a surrogate pair.
  // (An optional view would pass through memory: 4 ns a string.)
  std::string_view string(uint32_t token, Arena& arena) const {
    const std::string_view raw = raw_string(token);
    if (has_escapes_ && raw.find('\\') != raw.npos) return unescape(raw, arena);
    return raw;
  }
  bool is_null(uint32_t token) const { return is_literal(token, "null"); }
  bool is_literal(uint32_t token, std::string_view literal) const;
  // False when the token is no number or one beyond the range of a double.
  bool number(uint32_t token, JsonNumber& out) const;
  // The same for a number written without fraction and exponent. False, and `out` as it was, for everything else.
  bool whole(uint32_t token, int64_t& out) const;
  // Checks a whole value of any kind, `depth` containers deep. The token behind it, or 0 when it is not JSON.
  uint32_t skip(uint32_t token, unsigned depth) const;
  // Checks that the text is one JSON value and nothing else.
  bool is_valid() const { return skip(0, 0) == size_; }

 private:
  static std::string_view unescape(std::string_view raw, Arena& arena);
  bool skip_scalar(uint32_t token) const;

  const char* text_ = nullptr;
  const uint32_t* tokens_ = nullptr;
  uint32_t size_ = 0;
  bool has_escapes_ = false;
};

}  // namespace segue::codec
