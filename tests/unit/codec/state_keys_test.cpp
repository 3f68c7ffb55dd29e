// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/state_keys.h"

#include <gtest/gtest.h>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"

namespace segue::codec {
namespace {

TEST(StateKeys, PageKeyIsPrefixGroupAndUser) {
  std::string key = "something longer that was here before";
  make_page_key("u-1", key);
  const uint16_t group = key_group("u-1");
  const char head[] = {'p', static_cast<char>(group >> 8), static_cast<char>(group & 0xff)};
  EXPECT_EQ(key, std::string(head, sizeof head) + "u-1");
  EXPECT_EQ(user_of_page_key(key), "u-1");
  EXPECT_FALSE(user_of_page_key("p\1\2"));
  EXPECT_FALSE(user_of_page_key("t\1\2u"));
}

TEST(StateKeys, ErasedKeysSortLikeTheirHashes) {
  std::string small;
  std::string large;
  make_erased_key(0x00000000000000ff, small);
  make_erased_key(0x0100000000000000, large);
  EXPECT_LT(small, large);
  EXPECT_EQ(small.size(), 9U);
  EXPECT_EQ(hash_of_erased_key(small), 0xffU);
  EXPECT_EQ(hash_of_erased_key(large), 0x0100000000000000U);
  EXPECT_FALSE(hash_of_erased_key("t"));
}

TEST(StateKeys, ErasedUserComesBack) {
  const ErasedUser erased{time_from_ms(1'700'000'000'123), 12};
  std::string bytes;
  encode(erased, bytes);
  EXPECT_EQ(decode_erased_user(bytes).value(), erased);
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_erased_user(bytes.substr(0, size)));
  EXPECT_FALSE(decode_erased_user(bytes + '\0'));
  bytes[0] = 2;
  EXPECT_FALSE(decode_erased_user(bytes));
}

ShardMeta make_meta() {
  ShardMeta meta;
  meta.position = {1'000'000, 5'000};
  meta.high = time_from_ms(1'700'000'000'123);
  meta.sequence = 77;
  meta.next_user_number = 123'456;
  meta.totals.applied[3] = 300;
  meta.totals.duplicates = 4;
  meta.totals.erased = 5;
  meta.totals.timers = 6;
  meta.totals.outputs = 7;
  meta.totals.moves = {8, 9};
  meta.totals.entered = {10};
  meta.totals.left = {11, 12, 13};
  meta.definitions = "00112233445566778899aabbccddeeff";
  meta.program = "0.1.0";
  return meta;
}

TEST(StateKeys, ShardMetaComesBack) {
  std::string bytes;
  encode(make_meta(), bytes);
  EXPECT_EQ(decode_shard_meta(bytes).value(), make_meta());
  std::string first;
  encode(ShardMeta{}, first);
  EXPECT_EQ(decode_shard_meta(first).value(), ShardMeta{});
}

TEST(StateKeys, AudienceKeysComeBackAndOthersDoNot) {
  std::string key;
  for (const audience::SetName& set :
       {audience::SetName{audience::SetKind::kAll, 0, ""}, audience::SetName{audience::SetKind::kStage, 0xfedcba98, ""},
        audience::SetName{audience::SetKind::kMember, 1, ""}, audience::SetName{audience::SetKind::kKeyed, 7, "cat:女装"}}) {
    make_audience_key(set, 0xfe01, key);
    const auto part = part_of_audience_key(key);
    ASSERT_TRUE(part);
    EXPECT_EQ(part->set, set);
    EXPECT_EQ(part->chunk, 0xfe01);
  }
  EXPECT_EQ(key, "ak" + std::string("\0\0\0\7", 4) + "cat:女装\xfe\x01");
  for (const std::string& other :
       {key.substr(1), "p" + key.substr(1), "ax" + key.substr(2), "as" + key.substr(2), key.substr(0, 7), "ak" + std::string(6, '\0'), std::string()})
    EXPECT_FALSE(part_of_audience_key(other));
}

TEST(StateKeys, ShardMetaSaysWhetherThereIsAnAudienceIndex) {
  ShardMeta meta = make_meta();
  std::string without, with;
  encode(meta, without);
  meta.has_audiences = true;
  encode(meta, with);
  EXPECT_EQ(decode_shard_meta(with).value(), meta);
  EXPECT_FALSE(decode_shard_meta(without)->has_audiences);
  with.back() = 2;  // a later version of the index
  EXPECT_FALSE(decode_shard_meta(with));
}

TEST(StateKeys, CutShardMetaIsRefused) {
  std::string bytes;
  encode(make_meta(), bytes);
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_shard_meta(bytes.substr(0, size))) << size;
}

TEST(StateKeys, LaterFieldOfShardMetaIsPassedOver) {
  std::string bytes;
  encode(make_meta(), bytes);
  ByteWriter w(bytes);
  w.varint(256 + 1);
  w.bytes("later");
  EXPECT_EQ(decode_shard_meta(bytes).value(), make_meta());
  bytes[0] = 2;
  EXPECT_FALSE(decode_shard_meta(bytes));
}

}  // namespace
}  // namespace segue::codec
