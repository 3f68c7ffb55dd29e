// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"

struct roaring_bitmap_s;

namespace segue::audience {

using UserNumber = uint32_t;  // shard::UserNumber
inline constexpr UserNumber kNoUser = UINT32_MAX;
inline constexpr uint32_t kChunkUsers = 65'536;

// A set of numbers from 0 to 65,535: some users of one chunk. A Roaring bitmap of one container; an empty one has no memory.
class Bitmap {
 public:
  Bitmap() = default;
  Bitmap(Bitmap&& other) noexcept : bits_(std::exchange(other.bits_, nullptr)) {}
  Bitmap& operator=(Bitmap&& other) noexcept {
    std::swap(bits_, other.bits_);
    return *this;
  }
  Bitmap(const Bitmap&) = delete;
  Bitmap& operator=(const Bitmap&) = delete;
  ~Bitmap();

  Bitmap copy() const;
  // Whether the set changed.
  bool add(uint16_t number);
  bool remove(uint16_t number);
  bool contains(uint16_t number) const;
  uint32_t count() const;
  bool empty() const { return bits_ == nullptr; }
  // Appends the numbers from `from` on in ascending order, `limit` at most, each with `base` added.
  void list(uint16_t from, size_t limit, UserNumber base, std::vector<UserNumber>& out) const;

  // The number that is in one of two sets only, the smallest; -1 when they are equal.
  static int32_t first_difference(const Bitmap& a, const Bitmap& b);
  static Bitmap both(const Bitmap& a, const Bitmap& b);
  static Bitmap difference(const Bitmap& a, const Bitmap& b);  // in a, not in b
  static uint32_t count_both(const Bitmap& a, const Bitmap& b);
  void unite(const Bitmap& other);
  // All of them together: cheaper than one after the other.
  static Bitmap any(const std::vector<const Bitmap*>& sets);

  // One form for one set (docs/formats/state.md). Not for an empty one. read(): kData unless the bytes are exactly that form.
  void write(std::string& out) const;
  static Result<Bitmap> read(std::string_view bytes);

 private:
  explicit Bitmap(roaring_bitmap_s* bits);

  roaring_bitmap_s* bits_ = nullptr;  // never an empty bitmap
};

}  // namespace segue::audience
