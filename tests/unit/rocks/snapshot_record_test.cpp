// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/snapshot_record.h"

#include <gtest/gtest.h>

#include "lib/base/hash.h"

namespace segue::rocks {
namespace {

SnapshotRecord example() {
  return {.checkpoint = 12,
          .info = {.position = {300, 4}, .sequence = 77, .definitions = "0123", .program = "1.2.3"},
          .made_at = time_from_ms(-5),
          .meta_hash = 0x8877665544332211};
}

TEST(SnapshotRecord, ReadsWhatItWrote) {
  EXPECT_EQ(decode_snapshot_record(encode_snapshot_record(example())).value(), example());
  EXPECT_EQ(decode_snapshot_record(encode_snapshot_record({})).value(), SnapshotRecord());
}

// The bytes of docs/formats/snapshot.md, which a volume may hold for years.
TEST(SnapshotRecord, TheBytesAreTheFormats) {
  const std::string body("\x01\x0c\xac\x02\x04\x4d\xfb\xff\xff\xff\xff\xff\xff\xff\x04\x30\x31\x32\x33\x05\x31.2.3\x11\x22\x33\x44\x55\x66\x77\x88",
                         33);
  const std::string bytes = encode_snapshot_record(example());
  EXPECT_EQ(bytes.substr(0, bytes.size() - 8), body);
}

TEST(SnapshotRecord, DamageInAnyByteAndAnyCutIsNoticed) {
  const std::string good = encode_snapshot_record(example());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(decode_snapshot_record(bad)) << i;
    EXPECT_FALSE(decode_snapshot_record(good.substr(0, i))) << i;
  }
  EXPECT_FALSE(decode_snapshot_record(good + "x"));
}

TEST(SnapshotRecord, ALaterVersionIsRefusedByName) {
  std::string later = encode_snapshot_record(example());
  later[0] = 2;
  later.resize(later.size() - 8);
  const uint64_t hash = hash64(later);
  later.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  const auto refused = decode_snapshot_record(later);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("later version"), std::string::npos);
}

}  // namespace
}  // namespace segue::rocks
