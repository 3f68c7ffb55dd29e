// SPDX-License-Identifier: Apache-2.0
#include "lib/http/message.h"

#include <gtest/gtest.h>

namespace segue::http {
namespace {

TEST(Message, FindsHeadersByAnyCase) {
  const Request request{.headers = {{"Content-Type", "a"}, {"content-type", "b"}, {"Empty", ""}}};
  EXPECT_EQ(request.header("CONTENT-TYPE"), "a");
  EXPECT_EQ(request.find_header("empty"), "");
  EXPECT_EQ(request.find_header("none"), std::nullopt);
}

TEST(Message, NamesAParameterThatNobodyKnows) {
  const Request request{.parameters = {{"a", "1"}, {"b", "2"}, {"a", "3"}}};
  EXPECT_EQ(request.find_parameter("a"), "1");
  EXPECT_EQ(request.find_unknown_parameter({"a", "b"}), std::nullopt);
  EXPECT_EQ(request.find_unknown_parameter({"a"}), "b");
}

TEST(Message, AProblemIsJson) {
  const Response response = problem(404, "no \"such\"\nthing\xFF 你");
  EXPECT_EQ(response.status, 404u);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"no \\\"such\\\"\\u000athing\xEF\xBF\xBD 你\"}\n");
  EXPECT_EQ(problem(404).body, "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}\n");
}

TEST(Message, JsonHasNoBytesThatAreNotUtf8) {
  for (const char* bad : {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xF0\x80\x80\x80", "\xE4\xBD"}) {
    EXPECT_TRUE(json_string(bad).starts_with("\"\xEF\xBF\xBD")) << bad;
  }
  EXPECT_EQ(json_string("\xF0\x9F\x98\x80"), "\"\xF0\x9F\x98\x80\"");
}

}  // namespace
}  // namespace segue::http
