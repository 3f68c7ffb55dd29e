// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace segue::codec {

// A closed list of names of 1 to 16 bytes, found by a perfect hash that the compiler searches for: two loads, a multiplication and a comparison,
// without a branch that depends on the name. A name's number is its place in the list.
template <size_t kNames>
class NameTable {
 public:
  static constexpr uint8_t kNotFound = 0xff;
  // Bytes that must be readable from a name's first byte on, whatever its length.
  static constexpr size_t kReadBytes = 16;

  consteval explicit NameTable(const std::array<std::string_view, kNames>& names) {
    for (uint64_t multiplier = 0x9e3779b97f4a7c15ULL;; multiplier = multiplier * 6364136223846793005ULL + 1442695040888963407ULL)
      if (fill(names, multiplier | 1)) return;
  }

  // The number of the name, or kNotFound. Reads kReadBytes bytes, and requires that none of the name is NUL.
  uint8_t find_in_place(const char* name, size_t length) const {
    if (length - 1 >= kReadBytes) return kNotFound;
    uint64_t low, high;
    std::memcpy(&low, name, sizeof low);
    std::memcpy(&high, name + sizeof low, sizeof high);
    low &= kMasks[length].low;
    high &= kMasks[length].high;
    const Slot& slot = slots_[hash(low, high, multiplier_)];
    return slot.low == low && slot.high == high ? slot.number : kNotFound;
  }
  // The same for any bytes, where nothing behind them may be read.
  uint8_t find(std::string_view name) const {
    char copy[kReadBytes] = {};
    if (name.size() > kReadBytes || name.find('\0') != name.npos) return kNotFound;
    if (!name.empty()) std::memcpy(copy, name.data(), name.size());
    return find_in_place(copy, name.size());
  }

 private:
  struct alignas(32) Slot {
    uint64_t low = 0, high = 0;
    uint8_t number = kNotFound;
  };
  struct Mask {
    uint64_t low, high;
  };
  static constexpr unsigned kBits = 7;  // four to eight times the names, so that a multiplier is found within a few dozen tries

  static constexpr std::array<Mask, kReadBytes + 1> kMasks = [] {
    std::array<Mask, kReadBytes + 1> masks{};
    for (size_t n = 1; n <= kReadBytes; ++n) {
      masks[n].low = n >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * n)) - 1;
      masks[n].high = n <= 8 ? 0 : n == 16 ? ~uint64_t{0} : (uint64_t{1} << (8 * (n - 8))) - 1;
    }
    return masks;
  }();

  static constexpr size_t hash(uint64_t low, uint64_t high, uint64_t multiplier) {
    return static_cast<size_t>(((low ^ (high << 5) ^ (high >> 7)) * multiplier) >> (64 - kBits));
  }
  static constexpr uint64_t word(std::string_view name, size_t from) {
    uint64_t value = 0;
    for (size_t i = from; i < name.size() && i < from + 8; ++i) value |= static_cast<uint64_t>(static_cast<uint8_t>(name[i])) << (8 * (i - from));
    return value;
  }
  constexpr bool fill(const std::array<std::string_view, kNames>& names, uint64_t multiplier) {
    slots_ = {};
    multiplier_ = multiplier;
    for (size_t i = 0; i < kNames; ++i) {
      const uint64_t low = word(names[i], 0), high = word(names[i], 8);
      Slot& slot = slots_[hash(low, high, multiplier)];
      if (slot.number != kNotFound) return false;
      slot = {low, high, static_cast<uint8_t>(i)};
    }
    return true;
  }

  std::array<Slot, size_t{1} << kBits> slots_{};
  uint64_t multiplier_ = 0;
};

}  // namespace segue::codec
