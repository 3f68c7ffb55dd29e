// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/lexer.h"

#include <gtest/gtest.h>

namespace segue::segment {
namespace {

std::string kinds(std::string_view text) {
  constexpr std::string_view kLetters = "$#~@\"ws";
  std::string out;
  const auto tokens = tokenize(text);
  if (!tokens) return "error at " + std::to_string(tokens.error().begin);
  for (const Token& token : *tokens) out += kLetters[static_cast<size_t>(token.kind)];
  return out;
}

TEST(Lexer, TellsNumbersDurationsDatesTextsAndWordsApart) {
  EXPECT_EQ(kinds("orders >= 2.5 and x = \"y\" or a < 7d or b > 2024-11-11"), "ws#wws\"wws~wws@$");
  EXPECT_EQ(kinds("1d12h"), "~$");
  EXPECT_EQ(kinds("2024 - 11"), "#s#$");
  EXPECT_EQ(kinds("user.last_purchase"), "w$");
  EXPECT_EQ(kinds("   "), "$");
}

TEST(Lexer, FullWidthSignsAreTheirAsciiForms) {
  const auto tokens = tokenize("客单价　≥　300 and （地区 ≠ “上海”，「杭州」）");
  ASSERT_TRUE(tokens.has_value());
  std::string joined;
  for (const Token& token : *tokens) joined += token.text + "|";
  EXPECT_EQ(joined, "客单价|>=||and|(|地区|!=|上海|,|杭州|)||");
}

TEST(Lexer, DurationsAreWholeNumbersOfKnownUnits) {
  EXPECT_EQ(parse_duration("1w"), Duration{604'800'000});
  EXPECT_EQ(parse_duration("1d12h30m5s7ms"), Duration{131'405'007});
  for (const std::string_view wrong : {"", "d", "7", "7x", "7D", "1.5h", "-1d", "7d ", "36501d", "999999999999999999999d", "20000d20000d"})
    EXPECT_FALSE(parse_duration(wrong).has_value()) << wrong;
  for (const std::string_view text : {"7d", "90m", "1500ms", "36h"}) EXPECT_EQ(print_duration(*parse_duration(text)), text);
}

TEST(Lexer, DatesMustExist) {
  int64_t ms = 0;
  EXPECT_TRUE(parse_date("1970-01-02", ms));
  EXPECT_EQ(ms, 86'400'000);
  EXPECT_TRUE(parse_date("2024-02-29T20:30", ms));
  EXPECT_EQ(ms, 1'709'238'600'000);
  for (const std::string_view wrong : {"2023-02-29", "2024-2-29", "2024-00-10", "2024-02-29T24:00", "2024-02-29 20:30", "20240229"})
    EXPECT_FALSE(parse_date(wrong, ms)) << wrong;
}

TEST(Lexer, MistakesCarryTheirPlace) {
  EXPECT_EQ(kinds("orders ! 2"), "error at 7");
  EXPECT_EQ(kinds("x = 'open"), "error at 4");
  EXPECT_EQ(kinds("x > 99999999999999999999"), "error at 4");
  EXPECT_EQ(kinds("x = ”y"), "error at 4");
  EXPECT_EQ(kinds("x ; y"), "error at 2");
}

TEST(Lexer, FindsTheWordThatWasMeant) {
  EXPECT_EQ(closest("oders", {"spend", "orders"}), "orders");
  EXPECT_EQ(closest("zodiac", {"spend", "orders"}), "");
  EXPECT_EQ(closest("last_seen_at", {"last_purchase", "last_seen"}), "last_seen");
}

}  // namespace
}  // namespace segue::segment
