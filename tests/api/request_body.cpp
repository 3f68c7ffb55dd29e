// SPDX-License-Identifier: Apache-2.0
#include "services/api/request_body.h"

#include <gmock/gmock.h>

namespace segue::api {
namespace {

std::vector<std::string> messages(const Mistakes& mistakes) {
  std::vector<std::string> out;
  for (const auto& mistake : mistakes) out.push_back(mistake.at + ": " + mistake.message);
  return out;
}

TEST(RequestBody, GivesWhatIsThere) {
  BodyReader body(R"({"text":"女装","flag":true,"limit":10.0,"list":["a","b"]})");
  EXPECT_EQ(body.text("text", 100, true), "女装");
  EXPECT_EQ(body.boolean("flag"), true);
  EXPECT_EQ(body.number("limit", 1, 10), 10U);
  EXPECT_EQ(body.texts("list", 1, 2, 10, true, true), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(body.finish().empty());
}

TEST(RequestBody, WhatNobodyAskedForIsAMistake) {
  BodyReader body(R"({"expresion":"all"})");
  EXPECT_FALSE(body.text("expression", 10, true));
  EXPECT_THAT(messages(body.finish()),
              testing::ElementsAre("/expression: this member is required", "/expresion: unknown member (is it \"expression\"?)"));
}

TEST(RequestBody, AMemberGivenTwiceIsAMistakeAtAnyDepth) {
  EXPECT_THAT(messages(BodyReader(R"({"a":1,"b":2,"a":3})").finish()), testing::Contains(": a member is given twice"));
  EXPECT_THAT(messages(BodyReader(R"({"x":[{"a":1},{"a":1,"a":2}]})").finish()), testing::Contains(": a member is given twice"));
  BodyReader siblings(R"({"x":[{"a":1},{"a":2}]})");
  EXPECT_THAT(messages(siblings.finish()), testing::Not(testing::Contains(": a member is given twice")));
}

TEST(RequestBody, DepthIsBounded) {
  const auto nested = [](size_t depth) { return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}"; };
  EXPECT_THAT(messages(BodyReader(nested(kMaxBodyDepth)).finish()), testing::Not(testing::Contains(testing::HasSubstr("nested"))));
  EXPECT_THAT(messages(BodyReader(nested(kMaxBodyDepth + 1)).finish()), testing::Contains(testing::HasSubstr("nested")));
  EXPECT_THAT(messages(BodyReader(std::string(500'000, '[')).finish()), testing::Not(testing::IsEmpty()));
}

TEST(RequestBody, TheMistakeHasLineAndColumnInCharacters) {
  BodyReader body("{\n \"a\": \"女\" x}");
  ASSERT_EQ(body.finish().size(), 1U);
  EXPECT_EQ(body.finish()[0].line, 2);
  EXPECT_EQ(body.finish()[0].column, 11);
}

TEST(RequestBody, NumbersAreWholeAndInRange) {
  for (const char* text : {"-1", "0", "11", "1.5", "1e300", "\"5\"", "true", "null", "18446744073709551616"}) {
    BodyReader body(std::string("{\"n\":") + text + "}");
    EXPECT_FALSE(body.number("n", 1, 10)) << text;
    EXPECT_FALSE(body.finish().empty()) << text;
  }
}

TEST(RequestBody, NeitherListsNorInvalidUtf8NorHugeNumbersPass) {
  for (const std::string text : {"[]", "1", "", "{\"a\":1e999}", "{\"a\":\"\xff\"}", "{\"a\":1}x", "{\"a\":\"\\ud83d\"}"})
    EXPECT_FALSE(BodyReader(text).finish().empty()) << text;
}

TEST(RequestBody, AListIsBoundedAndItsTextsDiffer) {
  BodyReader body(R"({"many":["a","b","c"],"twice":["a","a"],"mixed":["a",1,""],"choice":["tags","tgas"]})");
  EXPECT_FALSE(body.texts("many", 1, 2, 10, true, true));
  body.texts("twice", 1, 2, 10, true, true);
  body.texts("mixed", 1, 3, 10, true, true);
  EXPECT_EQ(body.choices("choice", {"segments", "tags"}, 1), (std::vector<size_t>{1}));
  EXPECT_THAT(messages(body.finish()),
              testing::ElementsAre("/many: not a list of 1 to 2", "/twice/1: the same as one before", "/mixed/1: not a text of 1 to 10 bytes",
                                   "/mixed/2: not a text of 1 to 10 bytes", "/choice/1: none of the names allowed here (is it \"tags\"?)"));
}

}  // namespace
}  // namespace segue::api
