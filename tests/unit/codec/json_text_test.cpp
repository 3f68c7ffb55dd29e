// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace segue::codec {
namespace {

class JsonTextTest : public ::testing::Test {
 protected:
  // The tokens of `json`, which is copied with padding behind it. The index must accept it.
  JsonText read(std::string json) {
    bytes_ = std::move(json);
    const size_t size = bytes_.size();
    // What would end a number, if it counted.
    bytes_.append(64, ',');
    const std::string_view text(bytes_.data(), size);
    EXPECT_TRUE(index_.build(text));
    return {text, index_, true};
  }
  // The string that is the only element of the array.
  std::string_view unescaped(const std::string& raw) { return read("[\"" + raw + "\"]").string(1, arena_); }

  std::string bytes_;
  JsonIndex index_;
  Arena arena_;
};

TEST_F(JsonTextTest, the_index_refuses_what_is_no_text) {
  EXPECT_FALSE(index_.build(""));
  EXPECT_FALSE(index_.build("  \r\n\t"));
  EXPECT_FALSE(index_.build("\"abc"));
  EXPECT_FALSE(index_.build("\"a\nb\""));
  EXPECT_FALSE(index_.build("\"\xc0\x80\""));
  EXPECT_TRUE(index_.build("跑"));
}

TEST_F(JsonTextTest, strings_end_at_their_quote_whatever_follows) {
  EXPECT_EQ(read("[\"a b\"  \n ]").raw_string(1), "a b");
  EXPECT_EQ(read("[\"\",\"x,]\"]").raw_string(1), "");
  EXPECT_EQ(read("[\"\\\"\",1]").raw_string(1), "\\\"");
}

TEST_F(JsonTextTest, escapes_stand_for_what_the_standard_says) {
  EXPECT_EQ(unescaped(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(unescaped(R"(\u0041\u00e9\u8dd1\ud83d\ude00)"), "Aé跑😀");
  EXPECT_EQ(unescaped(R"(\uFFFF)"), "\xef\xbf\xbf");
  for (const char* wrong : {R"(\a)", R"(\u12)", R"(\u00g0)", R"(\ud83d)", R"(\ude00)", R"(\ud83d\u0041)", R"(\ud83dx\ude00)"})
    EXPECT_EQ(unescaped(wrong).data(), nullptr) << wrong;
}

TEST_F(JsonTextTest, whole_numbers_are_told_from_others) {
  int64_t whole = 7;
  EXPECT_TRUE(read("[1700000000123]").whole(1, whole));
  EXPECT_EQ(whole, 1700000000123);
  EXPECT_TRUE(read("[-5 ]").whole(1, whole));
  EXPECT_EQ(whole, -5);
  EXPECT_TRUE(read("[1234567890123456789012]").whole(1, whole));
  EXPECT_EQ(whole, std::numeric_limits<int64_t>::max());
  whole = 7;
  for (const char* other : {"[1.0]", "[1e3]", "[01]", "[-]", "[12345678901x]", "[0123456789]", "[1700000000123"}) {
    EXPECT_FALSE(read(other).whole(1, whole)) << other;
    EXPECT_EQ(whole, 7);
  }
}

TEST_F(JsonTextTest, decimals_of_every_length_are_exact) {
  JsonNumber number;
  for (const char* digits : {"0.5", "129.9", "1.234567", "12.34567", "123456.7", "99999999.5", "0.1", "12345678.12345678", "0.30000000000000004"}) {
    ASSERT_TRUE(read("[" + std::string(digits) + "]").number(1, number)) << digits;
    EXPECT_EQ(number.value, std::strtod(digits, nullptr)) << digits;
    EXPECT_FALSE(number.is_whole);
  }
  for (const char* wrong : {"1.", ".5", "00.5", "1..5", "1.5.", "1.2.3", "1.x", "-.5", "1.5e", "1e400"})
    EXPECT_FALSE(read("[" + std::string(wrong) + "]").number(1, number)) << wrong;
  EXPECT_FALSE(read("[15").number(1, number));
}

TEST_F(JsonTextTest, containers_nest_up_to_the_limit) {
  EXPECT_TRUE(read(std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']')).is_valid());
  EXPECT_FALSE(read(std::string(kMaxDepth + 1, '[') + std::string(kMaxDepth + 1, ']')).is_valid());
  EXPECT_TRUE(read(R"([{"a":[{},[]]},{"b":{"c":[[1],{"d":null}]}}])").is_valid());
  EXPECT_FALSE(read("[[1}]").is_valid());
  EXPECT_FALSE(read("{\"a\":[1]").is_valid());
}

TEST_F(JsonTextTest, a_skipped_value_ends_where_the_next_token_begins) {
  const JsonText text = read(R"({"a":{"b":[1,2]},"c":3})");
  EXPECT_EQ(text.first(text.skip(3, 1)), ',');
  EXPECT_EQ(text.skip(0, 0), text.size());
}

}  // namespace
}  // namespace segue::codec
