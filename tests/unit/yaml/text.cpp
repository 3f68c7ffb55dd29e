// SPDX-License-Identifier: Apache-2.0
#include "lib/yaml/text.h"

#include <gtest/gtest.h>

#include <string>

namespace segue::yaml {
namespace {

std::string at(std::string_view text, size_t offset) {
  const TextPlace place = place_at(text, offset);
  return std::to_string(place.line) + ":" + std::to_string(place.column);
}

TEST(YamlText, PlacesCountLinesAndCharactersFromOne) {
  EXPECT_EQ(at("", 0), "1:1");
  EXPECT_EQ(at("ab\ncd", 2), "1:3");
  EXPECT_EQ(at("ab\ncd", 3), "2:1");
  EXPECT_EQ(at("女装: x", 8), "1:5");
  EXPECT_EQ(at("ab", 99), "1:3");
}

TEST(YamlText, CleanTextIsUtfEightWithoutControlCharacters) {
  EXPECT_TRUE(is_clean_text("a\tb\r\n女装 😀"));
  for (const std::string_view wrong :
       {"\x01", "\x7f", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe5\xa5", "\x80", "\xc2\x85"})
    EXPECT_FALSE(is_clean_text(wrong));
}

}  // namespace
}  // namespace segue::yaml
