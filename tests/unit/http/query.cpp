// SPDX-License-Identifier: Apache-2.0
#include "lib/http/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::http {
namespace {

std::string shown(std::string_view query) {
  const auto parameters = parse_query(query);
  if (!parameters) return "error: " + parameters.error().message;
  std::string text;
  for (const auto& [name, value] : *parameters) text += name + "=" + value + ";";
  return text;
}

TEST(Query, DecodesNamesAndValues) {
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(shown("a=1&b=2"), "a=1;b=2;");
  EXPECT_EQ(shown("a=x+y%20z&%E4%BD%A0=%e5%a5%bd"), "a=x y z;你=好;");
  EXPECT_EQ(shown("a&b=&=c&&d=e=f"), "a=;b=;=c;d=e=f;");
  EXPECT_EQ(shown("a=%26%3D"), "a=&=;");
}

TEST(Query, RefusesHalfPercentSigns) {
  for (const char* query : {"a=%", "a=%4", "a=%4g", "%zz", "a=1&b=%2"}) EXPECT_THAT(shown(query), testing::HasSubstr("percent")) << query;
}

TEST(Query, RefusesMoreParametersThanAnybodyNeeds) {
  std::string query;
  for (size_t i = 0; i < kMaxParameters; ++i) query += "a&";
  EXPECT_TRUE(parse_query(query));
  EXPECT_FALSE(parse_query(query + "a"));
}

TEST(Query, EncodesWhatItDecodes) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(*percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_encode("a/b 你"), "a%2Fb%20%E4%BD%A0");
  EXPECT_EQ(*percent_decode("a+b"), "a+b");
}

}  // namespace
}  // namespace segue::http
