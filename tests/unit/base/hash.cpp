// SPDX-License-Identifier: Apache-2.0
#include "lib/base/hash.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace segue {
namespace {

std::array<uint8_t, 16> counting_key() {
  std::array<uint8_t, 16> key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i);
  return key;
}

std::string counting_text(size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i) text.push_back(static_cast<char>(i));
  return text;
}

TEST(Hash, Hash64IsXxh3) {
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2ULL);
  EXPECT_EQ(hash64("a"), 0xe6c632b61e964e1fULL);
  EXPECT_EQ(hash64("abc"), 0x78af5f94892f3950ULL);
}

TEST(Hash, SeedZeroIsNoSeedAndOthersDiffer) {
  const std::string text(1000, 'x');
  EXPECT_EQ(hash64(text, 0), hash64(text));
  EXPECT_NE(hash64(text, 1), hash64(text));
  EXPECT_NE(hash64(text, 1), hash64(text, 2));
}

TEST(Hash, Hash128IsWrittenHighDigitsFirst) {
  EXPECT_EQ(hash128_hex(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash128_hex("abc"), "06b05ab6733a618578af5f94892f3950");
}

// The values of Kafka's own test of murmur2.
TEST(Hash, Murmur2AgreesWithKafka) {
  EXPECT_EQ(static_cast<int32_t>(kafka_murmur2("21")), -973932308);
  EXPECT_EQ(static_cast<int32_t>(kafka_murmur2("foobar")), -790332482);
  EXPECT_EQ(static_cast<int32_t>(kafka_murmur2("a-little-bit-long-string")), -985981536);
  EXPECT_EQ(static_cast<int32_t>(kafka_murmur2("a-little-bit-longer-string")), -1486304829);
  EXPECT_EQ(static_cast<int32_t>(kafka_murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")), -58897971);
  EXPECT_EQ(static_cast<int32_t>(kafka_murmur2("abc")), 479470107);
}

// What zlib says of the keys, and Sarama (two of librdkafka's own vectors).
TEST(Hash, PartitionersAgreeWithTheirWriters) {
  constexpr size_t kMany = 0x7fffffff;
  const auto of = [](Partitioner how, std::string_view key, size_t partitions) { return topic_partition(how, key, partitions); };
  EXPECT_EQ(of(Partitioner::kMurmur2, "21", kMany), -973932308 & 0x7fffffff);
  EXPECT_EQ(of(Partitioner::kCrc32, "kafka", kMany), 1539077399);
  EXPECT_EQ(of(Partitioner::kCrc32, "123456789", 1000), 0xcbf43926 % 1000) << "unsigned";
  EXPECT_EQ(of(Partitioner::kCrc32, "小王/1?#", 12), 11);
  EXPECT_EQ(of(Partitioner::kFnv1a, "kafka", kMany), 0xd33c4e1);
  EXPECT_EQ(of(Partitioner::kFnv1a, "giberish123456789", kMany), 0x77a58295) << "of a negative sum";
  EXPECT_EQ(of(Partitioner::kFnv1a, "小王/1?#", 12), 11);
}

TEST(Hash, PartitionersHaveNames) {
  EXPECT_EQ(parse_partitioner("murmur2"), Partitioner::kMurmur2);
  EXPECT_EQ(parse_partitioner("crc32"), Partitioner::kCrc32);
  EXPECT_EQ(parse_partitioner("fnv1a"), Partitioner::kFnv1a);
  EXPECT_EQ(parse_partitioner("random"), std::nullopt);
}

TEST(Hash, UsersSpreadOverEveryKeyGroup) {
  std::set<uint16_t> groups;
  for (int i = 0; i < 20'000; ++i) groups.insert(key_group("u-" + std::to_string(i)));
  EXPECT_EQ(groups.size(), kKeyGroups);
  EXPECT_LT(*groups.rbegin(), kKeyGroups);
}

// The first, the shortest, two whole words and the last of the 64 vectors of the SipHash reference; 15 bytes is the paper's own example.
TEST(Hash, KeyedHashIsSipHash24) {
  const auto key = counting_key();
  EXPECT_EQ(keyed_hash(counting_text(0), key), 0x726fdb47dd0e0e31ULL);
  EXPECT_EQ(keyed_hash(counting_text(1), key), 0x74f839c593dc67fdULL);
  EXPECT_EQ(keyed_hash(counting_text(7), key), 0xab0200f58b01d137ULL);
  EXPECT_EQ(keyed_hash(counting_text(8), key), 0x93f5f5799a932462ULL);
  EXPECT_EQ(keyed_hash(counting_text(15), key), 0xa129ca6149be45e5ULL);
  EXPECT_EQ(keyed_hash(counting_text(63), key), 0x958a324ceb064572ULL);
}

TEST(Hash, AnotherKeyGivesAnotherHash) {
  auto key = counting_key();
  const uint64_t before = keyed_hash("u-1", key);
  key[15] ^= 1;
  EXPECT_NE(keyed_hash("u-1", key), before);
}

// The vector's signs are stored in pages: a change here would corrupt them silently.
TEST(Hash, NameHashNeverChanges) {
  EXPECT_EQ(name_hash(""), 0xefd01f60ba992926ULL);
  EXPECT_EQ(name_hash("i-00042"), 0x7c51ad301e06059cULL);
  EXPECT_EQ(name_hash("女装"), 0x35def46a32050a4cULL);
}

}  // namespace
}  // namespace segue
