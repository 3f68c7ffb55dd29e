// SPDX-License-Identifier: Apache-2.0
#include "lib/config/yaml_entries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::config {
namespace {

TEST(YamlEntries, ComeInTheOrderOfTheFileWithTheirPlaces) {
  const auto entries = read_yaml("b: 1\na:\n  c: x\n  d: [1]\ne: {f: 1}\n", [](std::string_view path) { return path == "a"; });
  ASSERT_TRUE(entries);
  std::string seen;
  for (const YamlEntry& entry : *entries)
    seen += entry.section + "/" + entry.key + "=" + entry.text + "@" + std::to_string(entry.key_place.line) + ":" +
            std::to_string(entry.key_place.column) + "," + std::to_string(entry.value_place.line) + ":" + std::to_string(entry.value_place.column) +
            " ";
  EXPECT_EQ(seen, "/b=1@1:1,1:4 /a=@2:1,3:3 a/c=x@3:3,3:6 a/d=@4:3,4:6 /e=@5:1,5:4 ");
  EXPECT_EQ((*entries)[3].kind, NodeKind::kList);
}

TEST(YamlEntries, RepeatedKeysAreMarkedAndNotDescended) {
  const auto entries = read_yaml("a: {b: 1}\na: {b: 2}\n", [](std::string_view) { return true; });
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_FALSE((*entries)[0].repeated);
  EXPECT_TRUE((*entries)[2].repeated);
}

TEST(YamlEntries, AnErrorRepeatsNothingOfTheText) {
  const auto entries = read_yaml("password: *5ecret\n", [](std::string_view) { return false; });
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().message.find("5ecret"), std::string::npos) << entries.error().message;
  // The library's own text goes on with the character.
  const auto escape = read_yaml("password: \"\\q\"\n", [](std::string_view) { return false; });
  ASSERT_FALSE(escape);
  EXPECT_EQ(escape.error().message, "this is not YAML: unknown escape character");
}

TEST(YamlEntries, AScalarIsReadAsItWasWritten) {
  for (const std::string text : {"",     "a",    "null", "~",    "true", "a: b", "# a", "-",  "--- ", "<<", "\"", "\\", "'",
                                 "x\ny", "\x7f", " a ",  "女装", "a:",   "&a",   "*a",  "!a", "%a",   "@a", "[",  "{",  "1e5"}) {
    const auto entries = read_yaml("k: " + yaml_scalar(text) + "\n", [](std::string_view) { return false; });
    ASSERT_TRUE(entries) << text;
    EXPECT_EQ((*entries)[0].kind, NodeKind::kScalar) << text;
    EXPECT_EQ((*entries)[0].text, text);
  }
}

}  // namespace
}  // namespace segue::config
