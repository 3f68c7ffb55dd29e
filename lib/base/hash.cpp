// SPDX-License-Identifier: Apache-2.0
#include "lib/base/hash.h"

#include <xxhash.h>

#include <bit>
#include <cstring>

namespace segue {
namespace {

static_assert(std::endian::native == std::endian::little, "hashes and formats read words as little-endian");

template <class Word>
Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

struct SipState {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
  }
  void absorb(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

}  // namespace

uint64_t hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }
uint64_t hash64(std::string_view bytes, uint64_t seed) { return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed); }

std::string hash128_hex(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  std::string hex;
  for (const unsigned char byte : canonical.digest) {
    hex.push_back("0123456789abcdef"[byte >> 4]);
    hex.push_back("0123456789abcdef"[byte & 15]);
  }
  return hex;
}

// After the description of MurmurHash2 (Austin Appleby, public domain) with Kafka's seed.
uint32_t kafka_murmur2(std::string_view key) {
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  const size_t size = key.size();
  uint32_t h = 0x9747b28cU ^ static_cast<uint32_t>(size);
  size_t at = 0;
  for (; at + 4 <= size; at += 4) {
    uint32_t k = load<uint32_t>(key.data() + at) * kMultiplier;
    k = (k ^ (k >> 24)) * kMultiplier;
    h = (h * kMultiplier) ^ k;
  }
  if (at < size) {
    uint32_t tail = 0;
    std::memcpy(&tail, key.data() + at, size - at);
    h = (h ^ tail) * kMultiplier;
  }
  h = (h ^ (h >> 13)) * kMultiplier;
  return h ^ (h >> 15);
}

// After the SipHash paper (Aumasson, Bernstein, 2012), SipHash-2-4.
uint64_t keyed_hash(std::string_view bytes, ErasureKey key) {
  const auto* words = reinterpret_cast<const char*>(key.data());
  const uint64_t k0 = load<uint64_t>(words);
  const uint64_t k1 = load<uint64_t>(words + 8);
  SipState s{k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL, k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL};
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) s.absorb(load<uint64_t>(bytes.data() + at));
  uint64_t last = static_cast<uint64_t>(bytes.size()) << 56;
  for (size_t i = 0; at + i < bytes.size(); ++i) last |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  s.absorb(last);
  s.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace segue
