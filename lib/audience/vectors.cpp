// SPDX-License-Identifier: Apache-2.0
#include "lib/audience/vectors.h"

#include <algorithm>
#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace segue::audience {
namespace {

constexpr size_t kSize = profile::kVectorSize;
using Bytes = std::array<int8_t, kSize>;

// Products of integers: the same whatever the machine. One query against `count` vectors.
using Dots = void (*)(const Bytes& query, const Bytes* vectors, size_t count, int32_t* out);

void dots_plain(const Bytes& query, const Bytes* vectors, size_t count, int32_t* out) {
  for (size_t i = 0; i < count; ++i) {
    int32_t sum = 0;
    for (size_t d = 0; d < kSize; ++d) sum += int32_t{query[d]} * vectors[i][d];
    out[i] = sum;
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void dots_avx2(const Bytes& query, const Bytes* vectors, size_t count, int32_t* out) {
  constexpr size_t kLanes = 16;
  __m256i wide[kSize / kLanes];
  for (size_t d = 0; d < kSize / kLanes; ++d)
    wide[d] = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(query.data() + d * kLanes)));
  for (size_t i = 0; i < count; ++i) {
    __m256i sum = _mm256_setzero_si256();
    const auto* bytes = reinterpret_cast<const __m128i*>(vectors[i].data());
    for (size_t d = 0; d < kSize / kLanes; ++d)
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(wide[d], _mm256_cvtepi8_epi16(_mm_loadu_si128(bytes + d))));
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0b01'00'11'10));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0b10'11'00'01));
    out[i] = _mm_cvtsi128_si32(half);
  }
}
#endif

Dots find_dots() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return dots_avx2;
#endif
  return dots_plain;
}

// The inverse of the bytes' length; 0 for a zero vector.
float quantise(const InterestVector& vector, Bytes& bytes) {
  float largest = 0;
  for (const float x : vector) largest = std::max(largest, std::fabs(x));
  bytes = {};
  if (!(largest > 0) || !std::isfinite(largest)) return 0;
  int32_t squares = 0;
  for (size_t d = 0; d < kSize; ++d) {
    bytes[d] = static_cast<int8_t>(std::lrintf(vector[d] / largest * 127.0F));
    squares += int32_t{bytes[d]} * bytes[d];
  }
  return 1.0F / std::sqrt(static_cast<float>(squares));
}

}  // namespace

double cosine(const InterestVector& a, const InterestVector& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t d = 0; d < kSize; ++d) {
    const double x = a[d], y = b[d];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? dot / (std::sqrt(aa) * std::sqrt(bb)) : 0;
}

void Vectors::set(UserNumber user, const InterestVector& vector) {
  const size_t block = user / kBlock;
  if (block >= blocks_.size()) blocks_.resize(block + 1);
  if (blocks_[block] == nullptr) blocks_[block] = std::make_unique<Block>();
  blocks_[block]->inverse_length[user % kBlock] = quantise(vector, blocks_[block]->bytes[user % kBlock]);
}

void Vectors::remove(UserNumber user) {
  if (has(user)) set(user, InterestVector{});
}

bool Vectors::has(UserNumber user) const {
  return user / kBlock < blocks_.size() && blocks_[user / kBlock] != nullptr && blocks_[user / kBlock]->inverse_length[user % kBlock] != 0;
}

size_t Vectors::memory_bytes() const {
  size_t bytes = blocks_.capacity() * sizeof(blocks_[0]);
  for (const auto& block : blocks_) bytes += block == nullptr ? 0 : sizeof(Block);
  return bytes;
}

SimilarSearch::SimilarSearch(const InterestVector& vector, size_t candidates, UserNumber except) : wanted_(candidates), except_(except) {
  is_zero_ = quantise(vector, bytes_) == 0;
}

UserNumber SimilarSearch::scan(const Vectors& vectors, UserNumber from, size_t count) {
  static const Dots kDots = find_dots();
  constexpr size_t kStride = 256;
  std::array<int32_t, kStride> dots;
  const auto end = static_cast<UserNumber>(std::min<uint64_t>(vectors.end(), from + uint64_t{count}));
  if (is_zero_ || wanted_ == 0) return kNoUser;
  while (from < end) {
    const size_t at = from % Vectors::kBlock;
    const size_t stride = std::min({kStride, Vectors::kBlock - at, size_t{end - from}});
    if (const auto& block = vectors.blocks_[from / Vectors::kBlock]; block != nullptr) {
      kDots(bytes_, &block->bytes[at], stride, dots.data());
      for (size_t i = 0; i < stride; ++i) {
        const float inverse_length = block->inverse_length[at + i];
        const Candidate candidate{static_cast<float>(dots[i]) * inverse_length, from + static_cast<UserNumber>(i)};
        if ((heap_.size() < wanted_ || candidate < heap_.front()) && inverse_length != 0 && candidate.user != except_) take(candidate);
      }
    }
    from += static_cast<UserNumber>(stride);
  }
  return from < vectors.end() ? from : kNoUser;
}

void SimilarSearch::take(const Candidate& candidate) {
  if (heap_.size() == wanted_) {
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
  }
  heap_.push_back(candidate);
  std::push_heap(heap_.begin(), heap_.end());
}

std::vector<UserNumber> SimilarSearch::candidates() const {
  auto sorted = heap_;
  std::sort(sorted.begin(), sorted.end());
  std::vector<UserNumber> users;
  for (const Candidate& candidate : sorted) users.push_back(candidate.user);
  return users;
}

}  // namespace segue::audience
