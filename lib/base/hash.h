// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace segue {

// XXH3-64 (xxhash.com), seed 0: tables and checksums. Stored in journals and pages, so it never changes.
uint64_t hash64(std::string_view bytes);
// The same with a seed: chains checksums.
uint64_t hash64(std::string_view bytes, uint64_t seed);
// XXH3-128 as 32 hexadecimal digits: names of stored definitions.
std::string hash128_hex(std::string_view bytes);

// FNV-1a 64 with MurmurHash3's 64-bit finaliser: the hash of an item, category or brand. Its bits are the signs that the name
// adds to the interest vector (bit i set = +1 in dimension i). Inline: it runs three times an event on a few bytes.
inline uint64_t name_hash(std::string_view name) {
  uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : name) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return h ^ (h >> 33);
}

// Kafka's murmur2 of a record key, as the Java client's default partitioner computes it.
uint32_t kafka_murmur2(std::string_view key);

// The number of key groups. A partition count or shard count that divides it moves whole groups.
inline constexpr uint32_t kKeyGroups = 1024;
// A user's key group: Kafka's partition number for a topic of kKeyGroups partitions.
inline uint16_t key_group(std::string_view user_id) { return static_cast<uint16_t>((kafka_murmur2(user_id) & 0x7fffffff) % kKeyGroups); }

// The partition that a topic's writers choose for a user: the Java client's default partitioner, `partitioner=murmur2` of librdkafka.
inline int32_t kafka_partition(std::string_view user_id, size_t partitions) {
  return static_cast<int32_t>((kafka_murmur2(user_id) & 0x7fffffff) % partitions);
}
// What the writers of a topic hash a key with.
enum class Partitioner : uint8_t {
  kMurmur2,  // Java's clients; librdkafka's murmur2, murmur2_random
  kCrc32,    // librdkafka's default: consistent_random, consistent
  kFnv1a,    // Sarama's default; librdkafka's fnv1a, fnv1a_random
};
// "murmur2", "crc32", "fnv1a".
std::optional<Partitioner> parse_partitioner(std::string_view name);
// The partition that they choose for a user.
int32_t topic_partition(Partitioner partitioner, std::string_view user_id, size_t partitions);

// The partition of an embedded log of several files. Users are in one for ever: neither function nor number of files may change.
inline int32_t log_partition(std::string_view user_id, size_t partitions) { return static_cast<int32_t>(hash64(user_id) % partitions); }

// HMAC-like keyed hash for erased users: SipHash-2-4, 128-bit key. The key never leaves the state directory.
using ErasureKey = std::span<const uint8_t, 16>;
uint64_t keyed_hash(std::string_view bytes, ErasureKey key);

}  // namespace segue
