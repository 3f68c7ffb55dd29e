// SPDX-License-Identifier: Apache-2.0
#include "lib/base/hash.h"

#include <xxhash.h>

#include <array>
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

// CRC-32 of ISO 3309 (zlib's), a byte at a time: keys are short.
constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xedb88320U : 0);
    table[byte] = rest;
  }
  return table;
}();

uint32_t crc32(std::string_view bytes) {
  uint32_t rest = 0xffffffffU;
  for (const char c : bytes) rest = (rest >> 8) ^ kCrcTable[(rest ^ static_cast<uint8_t>(c)) & 0xff];
  return ~rest;
}

// FNV-1a of 32 bits, and of the sum as a signed number its absolute value, as Sarama takes it.
uint32_t absolute_fnv1a(std::string_view bytes) {
  uint32_t h = 0x811c9dc5U;
  for (const char c : bytes) h = (h ^ static_cast<uint8_t>(c)) * 0x01000193U;
  return h >> 31 != 0 ? 0 - h : h;
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

std::optional<Partitioner> parse_partitioner(std::string_view name) {
  if (name == "murmur2") return Partitioner::kMurmur2;
  if (name == "crc32") return Partitioner::kCrc32;
  if (name == "fnv1a") return Partitioner::kFnv1a;
  return std::nullopt;
}

int32_t topic_partition(Partitioner partitioner, std::string_view user_id, size_t partitions) {
  switch (partitioner) {
    case Partitioner::kMurmur2:
      return kafka_partition(user_id, partitions);
    case Partitioner::kCrc32:
      return static_cast<int32_t>(crc32(user_id) % partitions);
    case Partitioner::kFnv1a:
      return static_cast<int32_t>(absolute_fnv1a(user_id) % partitions);
  }
  return 0;
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
