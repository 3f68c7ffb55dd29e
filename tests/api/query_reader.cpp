// SPDX-License-Identifier: Apache-2.0
#include "services/api/query_reader.h"

#include <gmock/gmock.h>

namespace segue::api {
namespace {

http::Request request(std::vector<http::Parameter> parameters) {
  http::Request request;
  request.parameters = std::move(parameters);
  return request;
}

TEST(QueryReader, GivesWhatIsThere) {
  const auto asked = request({{"include", "tags,traits"}, {"explain", "true"}, {"limit", "10"}, {"name", "女装"}});
  QueryReader query(asked);
  EXPECT_EQ(query.choices("include", {"traits", "segments", "tags"}), (std::vector<size_t>{2, 0}));
  EXPECT_TRUE(query.flag("explain"));
  EXPECT_EQ(query.number("limit", 1, 10, 5), 10U);
  EXPECT_EQ(query.text("name", 10), "女装");
  EXPECT_TRUE(query.finish().empty());
}

TEST(QueryReader, AnUnknownParameterIsAMistakeThatNamesTheNearOne) {
  const auto asked = request({{"limt", "10"}});
  QueryReader query(asked);
  EXPECT_EQ(query.number("limit", 1, 10, 5), 5U);
  ASSERT_EQ(query.finish().size(), 1U);
  EXPECT_EQ(query.finish()[0].message, "unknown query parameter (is it \"limit\"?)");
}

TEST(QueryReader, WrongValuesAreMistakes) {
  const std::vector<http::Parameter> wrong = {{"limit", "0"},   {"limit", "11"},  {"limit", "1x"},         {"limit", ""}, {"limit", "-1"},
                                              {"flag", "1"},    {"flag", ""},     {"list", "tags,"},       {"list", ""},  {"list", "tags,tags"},
                                              {"list", "tgas"}, {"text", "\xff"}, {"text", "12345678901"}, {"text", ""}};
  for (const auto& parameter : wrong) {
    const auto asked = request({parameter});
    QueryReader query(asked);
    query.number("limit", 1, 10, 5);
    query.flag("flag");
    query.choices("list", {"tags", "traits"});
    query.text("text", 10);
    EXPECT_EQ(query.finish().size(), 1U) << parameter.name << "=" << parameter.value;
  }
}

TEST(QueryReader, AParameterGivenTwiceIsAMistake) {
  const auto asked = request({{"limit", "1"}, {"limit", "2"}});
  QueryReader query(asked);
  query.number("limit", 1, 10, 5);
  EXPECT_FALSE(query.finish().empty());
}

}  // namespace
}  // namespace segue::api
