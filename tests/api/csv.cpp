// SPDX-License-Identifier: Apache-2.0
#include "services/api/csv.h"

#include <gtest/gtest.h>

namespace segue::api {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  append_csv_text(text, out);
  return out;
}

TEST(Csv, PlainTextStaysAsItIs) {
  EXPECT_EQ(cell("u-1"), "u-1");
  EXPECT_EQ(cell("女装"), "女装");
  EXPECT_EQ(cell(""), "");
}

TEST(Csv, WhatSeparatesIsQuoted) {
  EXPECT_EQ(cell("a,b"), "\"a,b\"");
  EXPECT_EQ(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(cell("two\nlines"), "\"two\nlines\"");
}

TEST(Csv, AFormulaIsText) {
  EXPECT_EQ(cell("=1+1"), "\"'=1+1\"");
  EXPECT_EQ(cell("+1"), "\"'+1\"");
  EXPECT_EQ(cell("-1"), "\"'-1\"");
  EXPECT_EQ(cell("@SUM(A1)"), "\"'@SUM(A1)\"");
  EXPECT_EQ(cell("\tx"), "\"'\tx\"");
  EXPECT_EQ(cell("\rx"), "\"'\rx\"");
  EXPECT_EQ(cell("=\"a\""), "\"'=\"\"a\"\"\"");
}

}  // namespace
}  // namespace segue::api
