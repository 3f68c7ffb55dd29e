// SPDX-License-Identifier: Apache-2.0
#include "lib/audience/bitmap.h"

#include <roaring/roaring.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "lib/base/assert.h"
#include "lib/base/bytes.h"

namespace segue::audience {
namespace {

constexpr uint32_t kCookie = 12346;  // containers without runs
constexpr uint32_t kMaxListed = 4096;
constexpr size_t kHeadBytes = 16;
constexpr size_t kBitBytes = kChunkUsers / 8;

bool is_ascending(std::string_view bytes, uint32_t count) {
  std::vector<uint16_t> numbers(count);
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return std::adjacent_find(numbers.begin(), numbers.end(), std::greater_equal<>()) == numbers.end();
}

uint32_t count_bits(std::string_view bytes) {
  uint32_t count = 0;
  for (size_t at = 0; at < bytes.size(); at += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    count += static_cast<uint32_t>(std::popcount(word));
  }
  return count;
}

}  // namespace

Bitmap::Bitmap(roaring_bitmap_s* bits) : bits_(bits) {
  if (bits_ == nullptr || !roaring_bitmap_is_empty(bits_)) return;
  roaring_bitmap_free(bits_);
  bits_ = nullptr;
}

Bitmap::~Bitmap() {
  if (bits_ != nullptr) roaring_bitmap_free(bits_);
}

Bitmap Bitmap::copy() const { return Bitmap(bits_ == nullptr ? nullptr : roaring_bitmap_copy(bits_)); }

bool Bitmap::add(uint16_t number) {
  if (bits_ == nullptr) bits_ = roaring_bitmap_create_with_capacity(1);
  return roaring_bitmap_add_checked(bits_, number);
}

bool Bitmap::remove(uint16_t number) {
  if (bits_ == nullptr || !roaring_bitmap_remove_checked(bits_, number)) return false;
  if (roaring_bitmap_is_empty(bits_)) {
    roaring_bitmap_free(bits_);
    bits_ = nullptr;
  }
  return true;
}

bool Bitmap::contains(uint16_t number) const { return bits_ != nullptr && roaring_bitmap_contains(bits_, number); }

uint32_t Bitmap::count() const { return bits_ == nullptr ? 0 : static_cast<uint32_t>(roaring_bitmap_get_cardinality(bits_)); }

void Bitmap::list(uint16_t from, size_t limit, UserNumber base, std::vector<UserNumber>& out) const {
  if (bits_ == nullptr) return;
  roaring_uint32_iterator_t at;
  roaring_init_iterator(bits_, &at);
  if (!roaring_move_uint32_iterator_equalorlarger(&at, from)) return;
  const size_t before = out.size();
  out.resize(before + std::min<size_t>(limit, kChunkUsers));
  const uint32_t read = roaring_read_uint32_iterator(&at, out.data() + before, static_cast<uint32_t>(out.size() - before));
  out.resize(before + read);
  for (size_t i = before; i < out.size(); ++i) out[i] += base;
}

int32_t Bitmap::first_difference(const Bitmap& a, const Bitmap& b) {
  if (a.empty() && b.empty()) return -1;
  if (a.empty() || b.empty()) return static_cast<int32_t>(roaring_bitmap_minimum(a.empty() ? b.bits_ : a.bits_));
  if (roaring_bitmap_equals(a.bits_, b.bits_)) return -1;
  const Bitmap differing(roaring_bitmap_xor(a.bits_, b.bits_));
  return static_cast<int32_t>(roaring_bitmap_minimum(differing.bits_));
}

Bitmap Bitmap::both(const Bitmap& a, const Bitmap& b) { return a.empty() || b.empty() ? Bitmap() : Bitmap(roaring_bitmap_and(a.bits_, b.bits_)); }

Bitmap Bitmap::difference(const Bitmap& a, const Bitmap& b) {
  if (a.empty() || b.empty()) return a.copy();
  return Bitmap(roaring_bitmap_andnot(a.bits_, b.bits_));
}

uint32_t Bitmap::count_both(const Bitmap& a, const Bitmap& b) {
  return a.empty() || b.empty() ? 0 : static_cast<uint32_t>(roaring_bitmap_and_cardinality(a.bits_, b.bits_));
}

void Bitmap::unite(const Bitmap& other) {
  if (other.empty()) return;
  if (empty()) {
    *this = other.copy();
  } else {
    roaring_bitmap_or_inplace(bits_, other.bits_);
  }
}

Bitmap Bitmap::any(const std::vector<const Bitmap*>& sets) {
  std::vector<const roaring_bitmap_t*> bits;
  for (const Bitmap* set : sets)
    if (!set->empty()) bits.push_back(set->bits_);
  return Bitmap(bits.empty() ? nullptr : roaring_bitmap_or_many(bits.size(), bits.data()));
}

void Bitmap::write(std::string& out) const {
  SEGUE_ASSERT(bits_ != nullptr);
  // A union may have left a container of runs, which has other bytes.
  roaring_bitmap_remove_run_compression(bits_);
  const size_t before = out.size();
  out.resize(before + roaring_bitmap_portable_size_in_bytes(bits_));
  const size_t written = roaring_bitmap_portable_serialize(bits_, out.data() + before);
  SEGUE_ASSERT(written == out.size() - before);
}

// The library trusts what it reads: everything that it relies on is looked at here.
Result<Bitmap> Bitmap::read(std::string_view bytes) {
  const auto malformed = [](const char* why) { return fail(ErrorClass::kData, std::string("set of users: ") + why); };
  ByteReader r(bytes);
  const auto cookie = r.fixed<uint32_t>();
  const auto containers = r.fixed<uint32_t>();
  const auto high_half = r.fixed<uint16_t>();
  const uint32_t count = uint32_t{r.fixed<uint16_t>()} + 1;
  const auto begin = r.fixed<uint32_t>();
  if (!r.ok() || cookie != kCookie || containers != 1 || high_half != 0 || begin != kHeadBytes) return malformed("malformed");
  const std::string_view content = bytes.substr(kHeadBytes);
  if (content.size() != (count <= kMaxListed ? count * sizeof(uint16_t) : kBitBytes)) return malformed("of another length than its count");
  if (count <= kMaxListed && !is_ascending(content, count)) return malformed("not in order");
  if (count > kMaxListed && count_bits(content) != count) return malformed("of another count than it says");
  roaring_bitmap_t* read = roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size());
  if (read == nullptr) return malformed("malformed");
  return Bitmap(read);
}

}  // namespace segue::audience
