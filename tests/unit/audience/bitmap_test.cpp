// SPDX-License-Identifier: Apache-2.0
#include "lib/audience/bitmap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace segue::audience {
namespace {

std::string bytes_of(const Bitmap& bitmap) {
  std::string bytes;
  bitmap.write(bytes);
  return bytes;
}

Bitmap range(uint32_t from, uint32_t to, uint32_t step = 1) {
  Bitmap bitmap;
  for (uint32_t i = from; i < to; i += step) bitmap.add(static_cast<uint16_t>(i));
  return bitmap;
}

std::vector<UserNumber> list(const Bitmap& bitmap, uint16_t from = 0, size_t limit = kChunkUsers, UserNumber base = 0) {
  std::vector<UserNumber> numbers;
  bitmap.list(from, limit, base, numbers);
  return numbers;
}

TEST(AudienceBitmap, IsASetOfNumbers) {
  std::mt19937 random(7);
  for (const uint32_t most : {10u, 4096u, 60'000u}) {
    Bitmap bitmap;
    std::set<uint16_t> model;
    for (uint32_t i = 0; i < 3 * most; ++i) {
      const auto number = static_cast<uint16_t>(random() % kChunkUsers);
      if (random() % 3 != 0)
        ASSERT_EQ(bitmap.add(number), model.insert(number).second);
      else
        ASSERT_EQ(bitmap.remove(number), model.erase(number) == 1);
    }
    EXPECT_EQ(bitmap.count(), model.size());
    EXPECT_EQ(list(bitmap), std::vector<UserNumber>(model.begin(), model.end()));
  }
}

TEST(AudienceBitmap, IsListedFromANumberOnUpToALimit) {
  const Bitmap bitmap = range(10, 100, 10);
  EXPECT_THAT(list(bitmap, 30, 3, 65'536), testing::ElementsAre(65'566, 65'576, 65'586));
  EXPECT_THAT(list(bitmap, 31, 2), testing::ElementsAre(40, 50));
  EXPECT_THAT(list(bitmap, 91), testing::IsEmpty());
  EXPECT_THAT(list(Bitmap(), 0), testing::IsEmpty());
}

TEST(AudienceBitmap, OperationsFollowSets) {
  const Bitmap even = range(0, 65'536, 2), low = range(0, 1000), none;
  EXPECT_EQ(Bitmap::both(even, low).count(), 500u);
  EXPECT_EQ(Bitmap::count_both(even, low), 500u);
  EXPECT_TRUE(Bitmap::both(even, none).empty());
  EXPECT_EQ(Bitmap::difference(low, even).count(), 500u);
  EXPECT_EQ(Bitmap::difference(low, none).count(), 1000u);
  EXPECT_TRUE(Bitmap::difference(low, low).empty());
  Bitmap either = low.copy();
  either.unite(even);
  EXPECT_EQ(either.count(), 32'768u + 500u);
  either.unite(none);
  EXPECT_EQ(either.count(), 32'768u + 500u);
  EXPECT_EQ(low.count(), 1000u);
  EXPECT_EQ(Bitmap::first_difference(even, even), -1);
  EXPECT_EQ(Bitmap::first_difference(even, low), 1);
  EXPECT_EQ(Bitmap::first_difference(none, low), 0);
  EXPECT_EQ(Bitmap::first_difference(none, none), -1);
}

TEST(AudienceBitmap, EqualSetsHaveEqualBytesWhateverTheirHistory) {
  Bitmap shrunk = range(0, 65'536);
  for (uint32_t i = 4096; i < 65'536; ++i) shrunk.remove(static_cast<uint16_t>(i));
  EXPECT_EQ(bytes_of(shrunk), bytes_of(range(0, 4096)));
  Bitmap united = range(0, 65'536, 2);
  united.unite(range(1, 65'536, 2));
  EXPECT_EQ(bytes_of(united), bytes_of(range(0, 65'536)));
}

TEST(AudienceBitmap, BytesAreAsWrittenDown) {
  Bitmap two;
  two.add(5);
  two.add(0x1234);
  const std::string want("\x3a\x30\0\0\x01\0\0\0\0\0\x01\0\x10\0\0\0\x05\0\x34\x12", 20);
  EXPECT_EQ(bytes_of(two), want);
  const std::string many = bytes_of(range(0, 4097));
  EXPECT_EQ(many.size(), 16u + 8192u);
  EXPECT_EQ(many.substr(16, 4), "\xff\xff\xff\xff");
}

TEST(AudienceBitmap, ComesBackFromItsBytes) {
  for (const Bitmap& bitmap : {range(65'535, 65'536), range(0, 4096), range(0, 4097), range(3, 65'536, 3), range(0, 65'536)}) {
    const auto read = Bitmap::read(bytes_of(bitmap));
    ASSERT_TRUE(read);
    EXPECT_EQ(Bitmap::first_difference(*read, bitmap), -1);
    EXPECT_EQ(bytes_of(*read), bytes_of(bitmap));
  }
}

TEST(AudienceBitmap, OtherBytesAreRefused) {
  for (const Bitmap& bitmap : {range(7, 27, 5), range(0, 5000)}) {
    const std::string good = bytes_of(bitmap);
    for (size_t size = 0; size<good.size(); size += good.size()> 100 ? 97 : 1) EXPECT_FALSE(Bitmap::read(good.substr(0, size))) << size;
    EXPECT_FALSE(Bitmap::read(good + '\0'));
    for (size_t at = 0; at < 16; ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      EXPECT_FALSE(Bitmap::read(bad)) << at;
    }
  }
  std::string unordered = bytes_of(range(7, 27, 5));
  std::swap(unordered[16], unordered[18]);
  EXPECT_FALSE(Bitmap::read(unordered));
  std::string twice = bytes_of(range(7, 27, 5));
  twice[18] = twice[16];
  EXPECT_FALSE(Bitmap::read(twice));
  std::string other_count = bytes_of(range(0, 5000));
  other_count.back() = 1;
  EXPECT_FALSE(Bitmap::read(other_count));
}

}  // namespace
}  // namespace segue::audience
