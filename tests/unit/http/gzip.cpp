// SPDX-License-Identifier: Apache-2.0
#include "lib/http/gzip.h"

#include <gtest/gtest.h>

namespace segue::http {
namespace {

TEST(Gzip, ComesBackAsItWas) {
  for (const std::string& text : {std::string(), std::string("abc"), std::string(100'000, 'x')}) EXPECT_EQ(*gunzip(gzip(text), 100'000), text);
  EXPECT_EQ(*gunzip(gzip("ab") + gzip("cd"), 10), "abcd");
}

TEST(Gzip, TakesBodiesOfManyMembers) {
  const std::string half(50'000, 'x');
  std::string bytes = gzip(half), empty = gzip("");
  for (int i = 0; i < 20'000; ++i) bytes += empty;
  bytes += gzip(half);
  EXPECT_EQ(*gunzip(bytes, 100'000), half + half);
  EXPECT_EQ(gunzip(bytes, 99'999).error(), GunzipError::kTooLarge);
  // What comes out fills the first buffer to its end, of the first member and of the last.
  for (size_t size = 250; size < 800; ++size) {
    const std::string text(size, 'y');
    EXPECT_EQ(*gunzip(gzip(text), 10'000), text) << size;
    EXPECT_EQ(*gunzip(gzip(text) + gzip("z"), 10'000), text + "z") << size;
  }
}

TEST(Gzip, NeverMakesMoreThanTheLimit) {
  const std::string bomb = gzip(std::string(50'000'000, '\0'));
  ASSERT_LT(bomb.size(), 60'000u);
  EXPECT_EQ(gunzip(bomb, 1'000'000).error(), GunzipError::kTooLarge);
  EXPECT_TRUE(gunzip(gzip("12345"), 5));
  EXPECT_EQ(gunzip(gzip("123456"), 5).error(), GunzipError::kTooLarge);
  EXPECT_EQ(gunzip(gzip("123") + gzip("456"), 5).error(), GunzipError::kTooLarge);
}

TEST(Gzip, RefusesDamage) {
  const std::string good = gzip("hello, hello, hello");
  for (size_t length = 0; length < good.size(); ++length) EXPECT_FALSE(gunzip(good.substr(0, length), 1000)) << length;
  std::string flipped = good;
  flipped[flipped.size() - 6] ^= 1;  // of the checksum
  EXPECT_EQ(gunzip(flipped, 1000).error(), GunzipError::kDamaged);
  EXPECT_FALSE(gunzip("no gzip at all", 1000));
  EXPECT_FALSE(gunzip(good + "rest", 1000));
}

}  // namespace
}  // namespace segue::http
