// SPDX-License-Identifier: Apache-2.0
#include "lib/base/bytes.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <string>
#include <vector>

namespace segue {
namespace {

std::string varint_bytes(uint64_t value) {
  std::string out;
  ByteWriter(out).varint(value);
  return out;
}

TEST(Bytes, WhatWasWrittenIsRead) {
  std::string out;
  ByteWriter writer(out);
  writer.fixed(uint32_t{0xdeadbeef});
  writer.varint(300);
  writer.svarint(-2);
  writer.bytes("潜客");
  writer.fixed(0.1);
  ByteReader reader(out);
  EXPECT_EQ(reader.fixed<uint32_t>(), 0xdeadbeefU);
  EXPECT_EQ(reader.varint(), 300U);
  EXPECT_EQ(reader.svarint(), -2);
  EXPECT_EQ(reader.bytes(), "潜客");
  EXPECT_EQ(std::bit_cast<uint64_t>(reader.fixed<double>()), std::bit_cast<uint64_t>(0.1));
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.done());
}

TEST(Bytes, WordsAreLittleEndian) {
  std::string out;
  ByteWriter(out).fixed(uint32_t{0x01020304});
  EXPECT_EQ(out, "\x04\x03\x02\x01");
}

TEST(Bytes, VarintsHaveTheBytesOfLeb128) {
  EXPECT_EQ(varint_bytes(0), std::string(1, '\0'));
  EXPECT_EQ(varint_bytes(127), "\x7f");
  EXPECT_EQ(varint_bytes(128), "\x80\x01");
  EXPECT_EQ(varint_bytes(624485), "\xe5\x8e\x26");
  EXPECT_EQ(varint_bytes(std::numeric_limits<uint64_t>::max()), std::string(9, '\xff') + '\x01');
}

TEST(Bytes, IntegersOfAnySizeAndSignComeBack) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const uint64_t value : {uint64_t{1} << bit, (uint64_t{1} << bit) - 1, ~(uint64_t{1} << bit)}) {
      std::string out;
      ByteWriter writer(out);
      writer.varint(value);
      writer.svarint(static_cast<int64_t>(value));
      ByteReader reader(out);
      EXPECT_EQ(reader.varint(), value);
      EXPECT_EQ(reader.svarint(), static_cast<int64_t>(value));
      EXPECT_TRUE(reader.ok() && reader.done());
    }
  }
}

TEST(Bytes, EveryCutIsNoticedAndEverythingAfterItIsZero) {
  std::string out;
  ByteWriter writer(out);
  writer.fixed(uint64_t{7});
  writer.varint(1'000'000);
  writer.bytes("twelve bytes");
  for (size_t size = 0; size < out.size(); ++size) {
    ByteReader reader(std::string_view(out).substr(0, size));
    reader.fixed<uint64_t>();
    reader.varint();
    reader.bytes();
    EXPECT_FALSE(reader.ok()) << size;
    EXPECT_EQ(reader.left(), 0U);
    EXPECT_EQ(reader.varint(), 0U);
    EXPECT_EQ(reader.bytes(), "");
    EXPECT_TRUE(reader.done());
  }
}

TEST(Bytes, OverlongVarintIsAnError) {
  ByteReader eleven(std::string_view("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11));
  EXPECT_EQ(eleven.varint(), 0U);
  EXPECT_FALSE(eleven.ok());
  ByteReader too_large(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
  EXPECT_EQ(too_large.varint(), 0U);
  EXPECT_FALSE(too_large.ok());
}

TEST(Bytes, LengthBeyondTheEndReadsNothing) {
  std::string out;
  ByteWriter(out).varint(std::numeric_limits<uint64_t>::max());
  ByteReader reader(out);
  EXPECT_EQ(reader.bytes(), "");
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace segue
