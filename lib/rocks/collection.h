// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "lib/base/arena.h"
#include "lib/base/assert.h"

namespace segue::rocks {

// A key with its first 16 bytes as two numbers, zero-padded: most comparisons end there and touch no memory but the index. 16, because a page's key
// starts with 3 bytes that its neighbours share, and user ids often share 4 more.
struct SortKey {
  uint64_t high = 0;
  uint64_t low = 0;
  const char* bytes = nullptr;
  uint32_t size = 0;

  explicit SortKey(std::string_view key) : bytes(key.data()), size(static_cast<uint32_t>(key.size())) {
    char first[16] = {};
    std::memcpy(first, key.data(), key.size() < sizeof first ? key.size() : sizeof first);
    high = big_endian(first);
    low = big_endian(first + 8);
  }
  std::string_view view() const { return {bytes, size}; }

  // Byte order. Equal numbers say nothing about a padded or a long key, so the bytes decide then.
  friend std::strong_ordering operator<=>(const SortKey& a, const SortKey& b) {
    if (a.high != b.high) return a.high <=> b.high;
    if (a.low != b.low) return a.low <=> b.low;
    return a.view() <=> b.view();
  }
  friend bool operator==(const SortKey& a, const SortKey& b) { return (a <=> b) == std::strong_ordering::equal; }

 private:
  static uint64_t big_endian(const char* bytes) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
  }
};

// The entries of one checkpoint while it grows in memory: bytes in an arena, an index beside them, nothing allocated per entry.
class Collection {
 public:
  static constexpr uint32_t kRemoved = UINT32_MAX;

  void put(std::string_view key, std::string_view value) {
    SEGUE_ASSERT(value.size() < kRemoved);
    add(key, value, static_cast<uint32_t>(value.size()));
  }
  void remove(std::string_view key) { add(key, {}, kRemoved); }

  // Keys and values, without the index.
  size_t bytes() const { return bytes_; }
  bool empty() const { return index_.empty(); }
  void clear() {
    index_.clear();
    arena_.clear();
    bytes_ = 0;
    next_number_ = 0;
  }
  // Sorts by key, then later entries first.
  void sort();

  // Calls visit(key, optional value) for the last entry of each key, ascending; stops when it returns false. Requires sort() after the last put().
  template <class Visitor>
  bool visit(Visitor&& visitor) const {
    for (size_t i = 0; i < index_.size(); ++i) {
      if (i != 0 && index_[i].key == index_[i - 1].key) continue;
      const Entry& entry = index_[i];
      std::optional<std::string_view> value;
      if (entry.value_size != kRemoved) value = std::string_view(entry.key.bytes + entry.key.size, entry.value_size);
      if (!visitor(entry.key.view(), value)) return false;
    }
    return true;
  }

 private:
  struct Entry {
    SortKey key;          // its bytes lie in the arena, followed by the value
    uint32_t value_size;  // or kRemoved
    uint32_t number;      // 0, 1, … in the order of the calls
  };

  void add(std::string_view key, std::string_view value, uint32_t value_size) {
    // Byte 0 is the store's own (docs/formats/state.md).
    SEGUE_ASSERT(!key.empty() && key.front() != '\0' && key.size() <= UINT16_MAX);
    char* at = arena_.allocate(key.size() + value.size(), 1);
    std::memcpy(at, key.data(), key.size());
    if (!value.empty()) std::memcpy(at + key.size(), value.data(), value.size());
    index_.push_back({SortKey({at, key.size()}), value_size, next_number_++});
    bytes_ += key.size() + value.size();
  }

  Arena arena_;
  std::vector<Entry> index_;
  size_t bytes_ = 0;
  uint32_t next_number_ = 0;
};

}  // namespace segue::rocks
