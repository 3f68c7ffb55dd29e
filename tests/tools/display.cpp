// SPDX-License-Identifier: Apache-2.0
#include "services/tools/display.h"

#include <gtest/gtest.h>

namespace segue::tools {
namespace {

TEST(Display, ChineseCharactersTakeTwoColumns) {
  EXPECT_EQ(display_width("cat:女装"), 8u);
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("한글カナ，"), 10u);
  EXPECT_EQ(display_width("🛒"), 2u);
  EXPECT_EQ(display_width("→█╭é"), 4u);
}

TEST(Display, CombiningMarksTakeNone) { EXPECT_EQ(display_width("e\u0301"), 1u); }

TEST(Display, PaddingFillsToExactColumns) {
  EXPECT_EQ(padded("女装", 6), "女装  ");
  EXPECT_EQ(padded_left("女装", 6), "  女装");
  EXPECT_EQ(padded("abc", 3), "abc");
}

TEST(Display, TruncationNeverCutsACharacter) {
  EXPECT_EQ(truncated("女装连衣裙", 10), "女装连衣裙");
  EXPECT_EQ(truncated("女装连衣裙", 9), "女装连衣…");
  EXPECT_EQ(truncated("女装连衣裙", 8), "女装连…");
  EXPECT_EQ(padded("女装连衣裙", 8), "女装连… ");
  EXPECT_EQ(truncated("abc", 1), "…");
  EXPECT_EQ(truncated("abc", 0), "");
}

TEST(Display, ControlCharactersNeverReachTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");           // CSI as one character
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // turns the direction of writing
  EXPECT_EQ(printable("流失 é"), "流失 é");
}

TEST(Display, BytesThatAreNotUtf8BecomeReplacementCharacters) {
  EXPECT_EQ(printable("a\xff\xfe"), "a\uFFFD\uFFFD");
  EXPECT_EQ(printable("\xc0\x80"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // half a surrogate pair
  EXPECT_EQ(printable("\xe5\xa5"), "\uFFFD\uFFFD");            // cut short
}

TEST(Display, BarIsAsLongAsItsShare) {
  EXPECT_EQ(bar(0, 8), "");
  EXPECT_EQ(bar(1, 4), "████");
  EXPECT_EQ(bar(0.5, 4), "██");
  EXPECT_EQ(bar(0.53125, 4), "██▏");
  EXPECT_EQ(bar(1e-9, 4), "▏");
  EXPECT_EQ(bar(7, 2), "██");
}

}  // namespace
}  // namespace segue::tools
