// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/definitions_json.h"

#include <gtest/gtest.h>

namespace segue::serving {
namespace {

TEST(DefinitionsJson, SaysWhatTheSetSays) {
  const auto definitions = segment::Definitions::parse(R"(version: 1
lifecycle:
  stages: [new, buyer]
  moves:
    - {from: new, to: buyer, on: purchase}
segments:
  - {name: rich, when: spend >= 5}
tags:
  - {name: "cat:*", top: 3 of category}
)",
                                                       "text");
  ASSERT_TRUE(definitions) << to_string(definitions.error());
  std::string out;
  codec::JsonWriter json(out);
  json.begin_object();
  write_definitions(json, *definitions);
  json.end_object();
  EXPECT_EQ(out, R"({"stages":["new","buyer"],)"
                 R"("moves":[{"name":"new-to-buyer","from":"new","to":"buyer","on":["purchase"],"when":"","announce":true}],)"
                 R"("segments":[{"name":"rich","when":"spend >= 5","announce":true}],)"
                 R"("tags":[{"name":"cat:*","top":3,"keyed_by":"category","announce":true}]})");
}

}  // namespace
}  // namespace segue::serving
