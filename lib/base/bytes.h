// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace segue {

// What is written as its bytes in memory, little-endian: integers, floats, plain structs without padding.
template <class Word>
concept FixedWord = std::is_trivially_copyable_v<Word>;

// Appends little-endian words, LEB128 varints and length-prefixed bytes to a string that the caller owns.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  template <FixedWord Word>
  void fixed(Word word) {
    out_.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  void varint(uint64_t value) {
    char buffer[10];
    size_t size = 0;
    while (value >= 0x80) buffer[size++] = static_cast<char>(value | 0x80), value >>= 7;
    buffer[size++] = static_cast<char>(value);
    out_.append(buffer, size);
  }
  // Zigzag: small magnitudes of either sign are short.
  void svarint(int64_t value) { varint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63)); }
  void bytes(std::string_view value) {
    varint(value.size());
    out_.append(value);
  }
  size_t size() const { return out_.size(); }
  std::string& out() { return out_; }

 private:
  std::string& out_;
};

// Reads what ByteWriter wrote. After the first short or overlong read ok() is false and every further read gives zero or nothing, so that a
// decoder checks once at its end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <FixedWord Word>
  Word fixed() {
    Word word{};
    if (!need(sizeof word)) return word;
    std::memcpy(&word, rest_.data(), sizeof word);
    rest_.remove_prefix(sizeof word);
    return word;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (!need(1)) return 0;
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  int64_t svarint() {
    const uint64_t value = varint();
    return static_cast<int64_t>((value >> 1) ^ (0 - (value & 1)));
  }
  std::string_view bytes() {
    const uint64_t size = varint();
    if (!need(size)) return {};
    const std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  bool ok() const { return ok_; }
  bool done() const { return rest_.empty() || !ok_; }
  size_t left() const { return ok_ ? rest_.size() : 0; }

 private:
  bool need(uint64_t size) {
    if (ok_ && size <= rest_.size()) return true;
    ok_ = false;
    return false;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace segue
