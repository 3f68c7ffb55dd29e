// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/instance_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::codec {
namespace {

using testing::HasSubstr;

InstanceRecord sample() { return {"engine-1", "10.0.0.7:8080", {0, 3, 12}, "5d0c", time_from_ms(1'767'312'000'000)}; }

TEST(InstanceRecord, IsReadAsItWasWritten) {
  EXPECT_EQ(to_json(sample()), R"({"instance":"engine-1","address":"10.0.0.7:8080","partitions":[0,3,12],"definitions":"5d0c","at":1767312000000})");
  EXPECT_EQ(*parse_instance_record(to_json(sample())), sample());
  InstanceRecord bare = sample();
  bare.definitions.clear();
  bare.partitions.clear();
  EXPECT_EQ(*parse_instance_record(to_json(bare)), bare);
}

TEST(InstanceRecord, MayHaveMembersThatNobodyKnowsYet) {
  const auto record = parse_instance_record(R"({"zone":{"a":[1]},"at":1,"partitions":[],"address":"host:1","instance":"i"})");
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->address, "host:1");
}

TEST(InstanceRecord, OfAnotherShapeIsRefusedWithTheReason) {
  const std::string good = to_json(sample());
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    const auto record = parse_instance_record(text);
    EXPECT_FALSE(record) << text;
    return record ? std::string() : record.error().message;
  };
  EXPECT_THAT(changed("\"engine-1\"", "7"), HasSubstr("no instance"));
  EXPECT_THAT(changed("engine-1", ""), HasSubstr("no instance"));
  EXPECT_THAT(changed("engine-1", "a b"), HasSubstr("no instance"));
  EXPECT_THAT(changed("10.0.0.7:8080", R"(h:1\r\nX: y)"), HasSubstr("no address"));
  EXPECT_THAT(changed("10.0.0.7:8080", std::string(300, 'h')), HasSubstr("no address"));
  EXPECT_THAT(changed("[0,3,12]", "[3,3]"), HasSubstr("ascending"));
  EXPECT_THAT(changed("[0,3,12]", "[-1]"), HasSubstr("ascending"));
  EXPECT_THAT(changed("[0,3,12]", "[2147483648]"), HasSubstr("ascending"));
  EXPECT_THAT(changed("[0,3,12]", "[1.5]"), HasSubstr("ascending"));
  EXPECT_THAT(changed("[0,3,12]", "{}"), HasSubstr("ascending"));
  EXPECT_THAT(changed("\"5d0c\"", "\"\""), HasSubstr("hash"));
  EXPECT_THAT(changed("1767312000000", "-1"), HasSubstr("no time"));
  EXPECT_THAT(changed("1767312000000", "1e300"), HasSubstr("no time"));
  EXPECT_FALSE(parse_instance_record(""));
  EXPECT_FALSE(parse_instance_record("[]"));
  EXPECT_FALSE(parse_instance_record(good + "x"));
  EXPECT_FALSE(parse_instance_record(good.substr(0, good.size() - 1)));
  EXPECT_THAT(parse_instance_record(std::string(kMaxInstanceRecordBytes + 1, ' ')).error().message, HasSubstr("too long"));
}

}  // namespace
}  // namespace segue::codec
