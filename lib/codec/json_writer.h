// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/assert.h"
#include "lib/base/money.h"

namespace segue::codec {

// Appends `text` as a JSON string. Requires valid UTF-8, which passes as it is.
inline void append_json_string(std::string& out, std::string_view text) {
  // For each byte: 0 passes, 'u' is written as \u00XX, anything else is the letter behind the backslash.
  static constexpr std::array<char, 256> kEscapes = [] {
    std::array<char, 256> table{};
    for (size_t i = 0; i < 0x20; ++i) table[i] = 'u';
    table['\b'] = 'b', table['\f'] = 'f', table['\n'] = 'n', table['\r'] = 'r', table['\t'] = 't', table['"'] = '"', table['\\'] = '\\';
    return table;
  }();
  out.push_back('"');
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (kEscapes[byte] == 0) continue;
    out.append(text, begin, i - begin);
    begin = i + 1;
    const char escaped[] = {'\\', kEscapes[byte]};
    out.append(escaped, sizeof escaped);
    if (kEscapes[byte] != 'u') continue;
    const char digits[] = {'0', '0', static_cast<char>('0' + (byte >> 4)), "0123456789abcdef"[byte & 15]};
    out.append(digits, sizeof digits);
  }
  out.append(text, begin);
  out.push_back('"');
}

// Writes JSON without spaces behind what a string holds already; puts the commas. The caller opens and closes in order. Allocates nothing but the
// string's growth.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  // A member's name. It is written as it stands: one of ours, with nothing to escape.
  void name(std::string_view name) {
    separate();
    out_.push_back('"');
    out_.append(name).append("\":");
    comma_ = false;
  }
  // A member's name that somebody else chose.
  void foreign_name(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_.push_back(':');
    comma_ = false;
  }

  void string(std::string_view value) { separate(), append_json_string(out_, value); }
  void integer(int64_t value) { separate(), append_number(value); }
  void unsigned_integer(uint64_t value) { separate(), append_number(value); }
  // The shortest form that reads back as the same double. JSON has no infinity and no NaN: a programmer's mistake.
  void number(double value) {
    SEGUE_ASSERT(std::isfinite(value));
    separate(), append_number(value);
  }
  void money(Money value) { separate(), append_money(out_, value); }
  void boolean(bool value) { separate(), out_.append(value ? "true" : "false"); }
  void null() { separate(), out_.append("null"); }
  // A value that is JSON already.
  void raw(std::string_view json) { separate(), out_.append(json); }

 private:
  void separate() {
    if (comma_) out_.push_back(',');
    comma_ = true;
  }
  void open(char bracket) {
    separate();
    out_.push_back(bracket);
    comma_ = false;
  }
  void close(char bracket) {
    out_.push_back(bracket);
    comma_ = true;
  }
  template <class Number>
  void append_number(Number value) {
    char digits[32];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }

  std::string& out_;
  bool comma_ = false;
};

}  // namespace segue::codec
