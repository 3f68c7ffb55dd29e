// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/yaml_source.h"

#include <gtest/gtest.h>

namespace segue::segment {
namespace {

// Where YamlSource sees the `byte`th byte of the value of key "k".
std::string place(std::string_view yaml, size_t byte) {
  YamlSource source(yaml, "f");
  const auto root = source.load();
  if (!root) return to_string(source.take_errors());
  source.wrong_within((*root)["k"], byte, "");
  const auto errors = source.take_errors();
  return std::to_string(errors[0].line) + ":" + std::to_string(errors[0].column);
}

TEST(YamlSource, FindsPlacesWithinEveryKindOfScalar) {
  EXPECT_EQ(place("k: abc def", 4), "1:8");
  EXPECT_EQ(place("k: \"abc def\"", 4), "1:9");
  EXPECT_EQ(place("k: 'it''s def'", 5), "1:11");
  EXPECT_EQ(place("k: \"say \\\"x\\\" def\"", 8), "1:15");
  EXPECT_EQ(place("x: 1\nk: >\n  abc\n  def ghi\n", 8), "4:7");
  EXPECT_EQ(place("x: 1\nk: |-\n    abc\n    def\n", 4), "4:5");
  EXPECT_EQ(place("k: abc\n  def", 4), "2:3");
  EXPECT_EQ(place("{k: abc def}", 4), "1:9");
}

TEST(YamlSource, ColumnsCountCharacters) { EXPECT_EQ(place("k: 女装 def", 7), "1:7"); }

TEST(YamlSource, BeyondTheEndIsTheEnd) {
  EXPECT_EQ(place("k: abc", 3), "1:7");
  EXPECT_EQ(place("k: abc", 99), "1:7");
}

TEST(YamlSource, WhatCannotBeMatchedPointsAtTheScalar) { EXPECT_EQ(place("k: \"\\u5973 def\"", 4), "1:4"); }

TEST(YamlSource, ReadsNumbersDurationsAndNamesWithinBounds) {
  YamlSource source("[5, 7d, name, ' x', true]", "f");
  const YAML::Node list = *source.load();
  EXPECT_EQ(source.number(list[0], 0, 5), 5);
  EXPECT_EQ(source.number(list[0], 6, 9), std::nullopt);
  EXPECT_EQ(source.duration(list[1], Duration{1}, std::chrono::days{7}), std::chrono::days{7});
  EXPECT_EQ(source.name(list[2], "a name"), "name");
  EXPECT_EQ(source.name(list[3], "a name"), std::nullopt);
  EXPECT_EQ(source.boolean(list[4]), true);
  EXPECT_EQ(source.boolean(list[2]), std::nullopt);
  EXPECT_EQ(source.items(list, "").size(), 5u);
  EXPECT_EQ(source.take_errors().size(), 3u);
}

TEST(YamlSource, AScalarIsAListOnlyWhereOneWillDo) {
  YamlSource source("[5, [6]]", "f");
  const YAML::Node list = *source.load();
  EXPECT_EQ(source.one_or_more(list[0], "a list").size(), 1u);
  EXPECT_EQ(source.one_or_more(list[1], "a list").size(), 1u);
  EXPECT_TRUE(source.ok());
  EXPECT_TRUE(source.items(list[0], "a list").empty());
  EXPECT_EQ(to_string(source.take_errors()), "f:1:2: found '5', expected a list\n");
}

TEST(YamlSource, TheSameMistakeIsToldOnce) {
  YamlSource source("[&a x, *a]", "f");
  const YAML::Node list = *source.load();
  for (const auto& item : list) EXPECT_EQ(source.boolean(item), std::nullopt);
  EXPECT_EQ(source.take_errors().size(), 1u);
}

TEST(YamlSource, StopsCollectingAtFiftyMistakes) {
  YamlSource source("x", "f");
  const YAML::Node node = *source.load();
  for (int i = 0; i < 80; ++i) source.wrong(node, std::to_string(i));
  EXPECT_EQ(source.take_errors().size(), 50u);
}

}  // namespace
}  // namespace segue::segment
