// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/syntax.h"

#include <gtest/gtest.h>

namespace segue::segment {
namespace {

std::string tree(std::string_view text) {
  const auto syntax = parse_expression(text);
  if (!syntax) return std::to_string(syntax.error().begin) + ": " + syntax.error().message;
  std::string out;
  print(*syntax, out);
  return out;
}

TEST(Syntax, AndBindsTighterThanOrAndNotTighterThanAnd) {
  EXPECT_EQ(tree("a or b and not c"), "(or a (and b (not c)))");
  EXPECT_EQ(tree("(a or b) and c"), "(and (or a b) c)");
  EXPECT_EQ(tree("not a = 1"), "(not (= a 1))");
  EXPECT_EQ(tree("a and b and c"), "(and a b c)");
}

TEST(Syntax, ArithmeticHasTheUsualOrder) {
  EXPECT_EQ(tree("a + b * 2 - c / 4 > -d"), "(> (- (+ a (* b 2)) (/ c 4)) (negate d))");
  EXPECT_EQ(tree("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(tree("2 * (a + b) = 1"), "(= (* 2 (+ a b)) 1)");
}

TEST(Syntax, ReadableFormsAreWrittenOut) {
  EXPECT_EQ(tree("x at least 30d ago"), "(>= (since x) 2.592e+09ms)");
  EXPECT_EQ(tree("x less than 1h ago"), "(< (since x) 3600000ms)");
  EXPECT_EQ(tree("x more than 1h ago"), "(> (since x) 3600000ms)");
  EXPECT_EQ(tree("x at most 1h ago"), "(<= (since x) 3600000ms)");
  EXPECT_EQ(tree("x between 1 and 2 and y"), "(and (and (>= x 1) (<= x 2)) y)");
  EXPECT_EQ(tree("x not between 1 and 2"), "(or (< x 1) (> x 2))");
  EXPECT_EQ(tree("x in (1, \"a\")"), "(in x 1 1\"a\")");
  EXPECT_EQ(tree("x not in (1)"), "(not-in x 1)");
  EXPECT_EQ(tree("x is not known"), tree("x is unknown"));
  EXPECT_EQ(tree("x within this week"), "(week x)");
  EXPECT_EQ(tree("count(click, 7d before now) = 1"), "(= (count click 604800000ms-before-now) 1)");
}

TEST(Syntax, TextsCannotLookLikeStructure) { EXPECT_NE(tree("x in (\"a\", \"b\")"), tree("x in (\"a\\\" 1\\\"b\")")); }

TEST(Syntax, WhatIsWrongIsNamedWithWhatWasExpected) {
  EXPECT_EQ(tree("a and"), "5: found the end of the condition, expected a value: a word such as orders, a number, a duration or a text in quotes");
  EXPECT_EQ(tree("a in b"), "5: found 'b', expected '(' and a list after 'in'");
  EXPECT_EQ(tree("a in (1 2)"), "8: found a number, expected ',' or ')'");
  EXPECT_EQ(tree("a between 1"), "11: found the end of the condition, expected 'and' and the upper end of 'between'");
  EXPECT_EQ(tree("a at least 3d"), "13: found the end of the condition, expected 'ago'");
  EXPECT_EQ(tree("a not 5"), "6: found a number, expected 'in' or 'between' after 'not'");
  EXPECT_EQ(tree("or b"), "0: found 'or', expected a value before it");
  EXPECT_EQ(tree("a contains 5"), "11: found a number, expected a text in quotes after 'contains'");
}

TEST(Syntax, DepthAndLengthAreBounded) {
  EXPECT_NE(tree(std::string(5000, '(').append("a").append(5000, ')')).find("nests too deep"), std::string::npos);
  EXPECT_NE(tree(std::string(5000, '-').append("a")).find("nests too deep"), std::string::npos);
  std::string nots;
  for (int i = 0; i < 5000; ++i) nots += "not ";
  EXPECT_NE(tree(nots + "a").find("nests too deep"), std::string::npos);
  std::string sum = "a";
  for (int i = 0; i < 5000; ++i) sum += " + a";
  EXPECT_NE(tree(sum).find("too long"), std::string::npos);
  std::string wide = "a";
  for (int i = 0; i < 5000; ++i) wide += " and a";
  EXPECT_NE(tree(wide).find("too long"), std::string::npos);
}

TEST(Syntax, OppositeAndMirroredComparisons) {
  EXPECT_EQ(opposite(Comparison::kLess), Comparison::kGreaterEqual);
  EXPECT_EQ(mirrored(Comparison::kLess), Comparison::kGreater);
  EXPECT_EQ(symbol(Comparison::kNotEqual), "!=");
}

}  // namespace
}  // namespace segue::segment
