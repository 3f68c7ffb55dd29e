// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/output_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace segue::codec {
namespace {

using nlohmann::json;
using profile::Cause;
using segment::Change;
using segment::ChangeKind;

constexpr std::string_view kYaml = R"(
version: 1
lifecycle:
  stages: [new, buyer, 沉睡]
  moves:
    - {from: new, to: buyer, on: purchase}
    - {name: 'quiet "one"', from: buyer, to: 沉睡, when: since(last_purchase) >= 30d}
segments:
  - {name: 高价值, when: spend >= 100}
  - {name: keen, for: category, when: clicks >= 3}
tags:
  - {name: regular, when: orders >= 2}
  - {name: 'cat:*', top: 3 of category}
)";

class OutputJson : public testing::Test {
 protected:
  // Without the version at its end, which is checked beside.
  std::string line(const shard::Output& output) const {
    std::string out = "before\n";
    writer_.append(output, out);
    const std::string end = ",\"definitions\":\"" + definitions_.hash() + "\"}\n";
    EXPECT_TRUE(out.starts_with("before\n{")) << out;
    EXPECT_TRUE(out.ends_with(end)) << out;
    const std::string line = out.substr(7);
    EXPECT_TRUE(json::accept(line)) << line;
    return line.substr(0, line.size() - end.size());
  }
  std::string line(const Change& change, std::string_view event_id = "e-1") const {
    return line({.user_id = "u-1", .n = 4, .change = &change, .at = change.at, .event_id = event_id, .profile = nullptr});
  }

  const segment::Definitions definitions_ = *segment::Definitions::parse(kYaml, "test.yaml");
  const OutputWriter writer_{definitions_};
};

TEST_F(OutputJson, AMoveNamesItsStagesItsEventAndTheProfile) {
  const Change change{.kind = ChangeKind::kMoved, .index = 0, .from = 0, .to = 1, .cause = Cause::kEvent, .at = time_from_ms(1'700'000'000'123)};
  profile::Profile profile;
  profile.orders = 1;
  profile.spend = Money{129'900'000};
  EXPECT_EQ(line({.user_id = "u-1", .n = 7, .change = &change, .at = change.at, .event_id = "e-9", .profile = &profile}),
            R"({"id":"u-1#7","user_id":"u-1","n":7,"type":"move","name":"new-to-buyer","from":"new","to":"buyer","at":1700000000123,)"
            R"("cause":"event","event_id":"e-9","profile":{"orders":1,"spend":129.9})");
}

TEST_F(OutputJson, ATimerHasNoEventAndNamesAreEscapedOnceForAll) {
  const Change change{.kind = ChangeKind::kMoved, .index = 1, .from = 1, .to = 2, .cause = Cause::kTimer, .at = time_from_ms(5)};
  EXPECT_EQ(line(change, ""),
            R"({"id":"u-1#4","user_id":"u-1","n":4,"type":"move","name":"quiet \"one\"","from":"buyer","to":"沉睡","at":5,"cause":"timer")");
}

TEST_F(OutputJson, SegmentsAreEnteredAndLeft) {
  const Change entered{.kind = ChangeKind::kEntered, .index = 0, .cause = Cause::kEvent, .at = time_from_ms(5)};
  EXPECT_EQ(line(entered), R"({"id":"u-1#4","user_id":"u-1","n":4,"type":"entered","name":"高价值","at":5,"cause":"event","event_id":"e-1")");
  const Change left{.kind = ChangeKind::kLeft, .index = 0, .cause = Cause::kDefinitions, .at = time_from_ms(6)};
  EXPECT_EQ(line(left, ""), R"({"id":"u-1#4","user_id":"u-1","n":4,"type":"left","name":"高价值","at":6,"cause":"definitions")");
}

TEST_F(OutputJson, AKeyedSegmentHasItsKeyBesideItsName) {
  Change change{.kind = ChangeKind::kEntered, .index = 1, .cause = Cause::kEvent, .at = time_from_ms(5)};
  change.key = "女装 \"new\"\\";
  EXPECT_EQ(line(change),
            R"({"id":"u-1#4","user_id":"u-1","n":4,"type":"entered","name":"keen","key":"女装 \"new\"\\","at":5,"cause":"event","event_id":"e-1")");
}

TEST_F(OutputJson, ATopTagIsNamedAsTheUserHasIt) {
  const Change plain{.kind = ChangeKind::kTagged, .index = 2, .cause = Cause::kEvent, .at = time_from_ms(5)};
  EXPECT_EQ(line(plain), R"({"id":"u-1#4","user_id":"u-1","n":4,"type":"tagged","name":"regular","at":5,"cause":"event","event_id":"e-1")");
  Change top{.kind = ChangeKind::kUntagged, .index = 3, .cause = Cause::kEvent, .at = time_from_ms(5)};
  top.key = "cat:女装";
  EXPECT_EQ(line(top), R"({"id":"u-1#4","user_id":"u-1","n":4,"type":"untagged","name":"cat:女装","at":5,"cause":"event","event_id":"e-1")");
}

TEST_F(OutputJson, AnErasureHasNeitherNameNorProfile) {
  EXPECT_EQ(line({.user_id = "u-1", .n = 2, .change = nullptr, .at = time_from_ms(9), .event_id = "gone", .profile = nullptr}),
            R"({"id":"u-1#2","user_id":"u-1","n":2,"type":"erased","at":9,"cause":"event","event_id":"gone")");
}

TEST_F(OutputJson, WhateverTheIdsHoldComesBackFromAParser) {
  const std::string user = "a\"b\\c\n\x01\x7f/#王😀";
  const std::string event_id("zero\0inside\t", 12);
  const Change change{.kind = ChangeKind::kMoved, .index = 0, .from = 0, .to = 1, .cause = Cause::kEvent, .at = kLatestTime};
  std::string out;
  writer_.append({.user_id = user, .n = UINT32_MAX, .change = &change, .at = change.at, .event_id = event_id, .profile = nullptr}, out);
  EXPECT_EQ(out.find('\n'), out.size() - 1);
  const json parsed = json::parse(out);
  EXPECT_EQ(parsed["user_id"], user);
  EXPECT_EQ(parsed["id"], user + "#4294967295");
  EXPECT_EQ(parsed["event_id"], event_id);
  EXPECT_EQ(parsed["at"], 253'402'300'799'999);
}

TEST(DeadLetter, TellsPlaceReasonAndBytes) {
  std::string out;
  append_dead_letter("events.ndjson", {120, 3}, event::RejectReason::kInvalidJson, R"({"a":"é)", out);
  EXPECT_EQ(out, R"({"partition":"events.ndjson","offset":120,"line":4,"reason":"invalid_json","raw":"{\"a\":\"é"})"
                 "\n");
}

TEST(DeadLetter, EveryReasonHasItsName) {
  for (size_t i = 0; i < event::kRejectReasons; ++i) {
    std::string out;
    append_dead_letter("p", {}, static_cast<event::RejectReason>(i), "", out);
    EXPECT_EQ(json::parse(out)["reason"], std::string(event::kRejectReasonNames[i]));
    EXPECT_EQ(json::parse(out)["raw"], "");
  }
}

TEST(DeadLetter, BytesThatAreNotUtf8AreBase64) {
  const auto written = [](std::string_view raw) {
    std::string out;
    append_dead_letter("p", {1, 2}, event::RejectReason::kInvalidUtf8, raw, out);
    const json parsed = json::parse(out);
    EXPECT_FALSE(parsed.contains("raw"));
    return parsed.value("raw_base64", "");
  };
  // By Python's base64.b64encode.
  EXPECT_EQ(written("\xff"), "/w==");
  EXPECT_EQ(written("\xff\xfe"), "//4=");
  EXPECT_EQ(written("\xff\xfe\xfd"), "//79");
  EXPECT_EQ(written("M\xfcnchen"), "TfxuY2hlbg==");
  EXPECT_EQ(written(std::string_view("\x00\x10\x83\x10\x51\x87\x20\x92\x8b\xd3", 10)), "ABCDEFGHIJKL0w==");
  EXPECT_EQ(written("\xc0\xaf"), "wK8=");      // overlong
  EXPECT_EQ(written("\xed\xa0\x80"), "7aCA");  // half of a surrogate pair
}

}  // namespace
}  // namespace segue::codec
