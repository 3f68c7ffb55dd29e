// SPDX-License-Identifier: Apache-2.0
#include "lib/http/answer_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::http {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(AnswerText, HasStatusLengthAndHeaders) {
  EXPECT_EQ(head_text({.content_type = "text/plain", .body = "abc", .headers = {{"X", "1"}}}, {.date = "now"}),
            "HTTP/1.1 200 OK\r\nServer: segue\r\nDate: now\r\nContent-Type: text/plain\r\nX: 1\r\nCache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\nContent-Length: 3\r\n\r\n");
}

TEST(AnswerText, AValueBeginsNoOtherHeader) {
  EXPECT_THAT(head_text({.headers = {{"X", "1\r\nSet-Cookie: a"}}}, {}), HasSubstr("X: 1  Set-Cookie: a\r\n"));
}

TEST(AnswerText, SaysWhetherTheConnectionStays) {
  EXPECT_THAT(head_text({}, {.keep_alive = false}), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head_text({}, {}), Not(HasSubstr("Connection")));
  EXPECT_THAT(head_text({}, {.minor_version = 0}), HasSubstr("Connection: keep-alive\r\n"));
}

TEST(AnswerText, AnAnswerWithoutABodyHasNoLength) {
  EXPECT_THAT(head_text({.status = 204}, {}), Not(HasSubstr("\r\nContent-")));
  EXPECT_THAT(head_text({.status = 304}, {}), Not(HasSubstr("Content-Length")));
}

TEST(AnswerText, AStreamComesInChunks) {
  EXPECT_THAT(head_text({}, {.stream = true}), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(head_text({}, {.minor_version = 0, .stream = true}), Not(HasSubstr("Transfer-Encoding")));
  std::string out;
  append_chunk(out, std::string(17, 'x'));
  append_chunk(out, "");
  EXPECT_EQ(out, "11\r\nxxxxxxxxxxxxxxxxx\r\n");
}

}  // namespace
}  // namespace segue::http
