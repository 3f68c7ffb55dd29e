// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace segue::profile {

// What every event looks at of all entries of an interest table, in the table's order and side by side: the low half of each hash, and each weight.
// Sixteen entries are three cache lines; in the table they are 28.
class InterestList {
 public:
  static constexpr size_t kNotFound = SIZE_MAX;

  size_t size() const { return size_; }
  void clear() {
    blocks_.clear();
    size_ = 0;
  }
  void push(uint64_t hash, double weight) {
    if (size_ % kLanes == 0) blocks_.emplace_back();
    ++size_;
    set(size_ - 1, hash, weight);
  }
  void set(size_t place, uint64_t hash, double weight) {
    blocks_[place / kLanes].tags[place % kLanes] = static_cast<uint32_t>(hash);
    set_weight(place, weight);
  }
  void set_weight(size_t place, double weight) { blocks_[place / kLanes].weights[place % kLanes] = weight; }
  double weight(size_t place) const { return blocks_[place / kLanes].weights[place % kLanes]; }

  // The first place with the hash's low half of which is(place) is true; kNotFound when there is none.
  template <class Is>
  size_t find(uint64_t hash, const Is& is) const {
    const auto tag = static_cast<uint32_t>(hash);
    for (size_t b = 0; b < blocks_.size(); ++b) {
      for (uint32_t lanes = equal_tags(blocks_[b], tag); lanes != 0; lanes &= lanes - 1) {
        const size_t place = b * kLanes + static_cast<size_t>(__builtin_ctz(lanes));
        if (place < size_ && is(place)) return place;
      }
    }
    return kNotFound;
  }
  // The first place of the smallest weight. Requires that there is one.
  size_t lightest() const {
    double least = std::numeric_limits<double>::infinity();
    for (const Block& block : blocks_) {
      const double low = smaller(block.weights[0], block.weights[1]);
      const double high = smaller(block.weights[2], block.weights[3]);
      least = smaller(least, smaller(low, high));
    }
    size_t place = 0;
    while (weight(place) != least) ++place;
    return place;
  }
  // How many stand before this place when the heaviest come first, and among equals the earlier place.
  size_t heavier_than(size_t place) const {
    const double weight = this->weight(place);
    size_t heavier = 0;
    for (size_t i = 0; i < size_; ++i) heavier += static_cast<size_t>(this->weight(i) > weight);
    for (size_t i = 0; i < place; ++i) heavier += static_cast<size_t>(this->weight(i) == weight);
    return heavier;
  }

  const void* data() const { return blocks_.data(); }
  size_t bytes() const { return blocks_.size() * sizeof(Block); }

 private:
  static constexpr size_t kLanes = 4;
  static constexpr double kNone = std::numeric_limits<double>::infinity();
  struct alignas(16) Block {
    std::array<uint32_t, kLanes> tags{};
    std::array<double, kLanes> weights{kNone, kNone, kNone, kNone};
  };

  static double smaller(double a, double b) { return b < a ? b : a; }
  // Bit i: lane i has the tag.
  static uint32_t equal_tags(const Block& block, uint32_t tag) {
#ifdef __SSE2__
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(block.tags.data()));
    const __m128i equal = _mm_cmpeq_epi32(tags, _mm_set1_epi32(static_cast<int>(tag)));
    return static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(equal)));
#else
    uint32_t lanes = 0;
    for (size_t i = 0; i < kLanes; ++i) lanes |= static_cast<uint32_t>(block.tags[i] == tag) << i;
    return lanes;
#endif
  }

  std::vector<Block> blocks_;
  size_t size_ = 0;
};

}  // namespace segue::profile
