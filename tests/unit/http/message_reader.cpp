// SPDX-License-Identifier: Apache-2.0
#include "lib/http/message_reader.h"

#include <gtest/gtest.h>

namespace segue::http {
namespace {

using State = RequestReader::State;

// Feeds everything, `step` bytes more at a time; what is left of it.
template <class Reader>
std::string feed(Reader& reader, std::string_view bytes, size_t step = 10'000) {
  std::string waiting;
  while (!bytes.empty()) {
    waiting += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
    for (size_t used = 1; used > 0;) {
      used = reader.feed(waiting);
      waiting.erase(0, used);
    }
  }
  return waiting;
}

unsigned failure_of(std::string_view bytes) {
  RequestReader reader(1000);
  feed(reader, bytes);
  return reader.state() == State::kFailed ? reader.failure() : 0;
}

TEST(RequestReader, ReadsARequestInAnyPieces) {
  for (size_t step = 1; step < 80; ++step) {
    RequestReader reader(1000);
    EXPECT_EQ(feed(reader, "POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-Y:  z \r\nContent-Length: 5\r\n\r\nhelloGET", step), "GET");
    ASSERT_EQ(reader.state(), State::kDone) << step;
    const Request request = reader.take_head();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/a%20b");
    EXPECT_EQ(request.query, "x=1");
    EXPECT_EQ(request.header("x-y"), "z");
    EXPECT_EQ(reader.take_body(), "hello");
    EXPECT_TRUE(reader.keep_alive());
  }
}

TEST(RequestReader, ReadsChunks) {
  for (size_t step = 1; step < 80; ++step) {
    RequestReader reader(1000);
    EXPECT_EQ(feed(reader, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\nGET", step),
              "GET");
    ASSERT_EQ(reader.state(), State::kDone) << step;
    EXPECT_EQ(reader.take_body(), "abcde");
  }
}

TEST(RequestReader, StopsBehindTheHead) {
  RequestReader reader(1000);
  const std::string_view head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n";
  EXPECT_EQ(reader.feed(std::string(head).append("hello")), head.size());
  EXPECT_EQ(reader.state(), State::kBody);
  EXPECT_TRUE(reader.expects_continue());
  EXPECT_TRUE(reader.limit_body(5));
  EXPECT_FALSE(reader.limit_body(4));
}

TEST(RequestReader, ChunksAreLimitedToo) {
  RequestReader reader(1000);
  const std::string_view head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(reader.feed(head), head.size());
  EXPECT_TRUE(reader.limit_body(5));
  feed(reader, "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
  EXPECT_EQ(reader.state(), State::kFailed);
  EXPECT_EQ(reader.failure(), 413u);
}

TEST(RequestReader, RefusesWhatTwoReadersCouldTakeDifferently) {
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\n\r\n"), 400u);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400u);
  EXPECT_EQ(failure_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400u);
  EXPECT_EQ(failure_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400u);
  EXPECT_EQ(failure_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"), 400u);
  EXPECT_EQ(failure_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501u);
  EXPECT_EQ(failure_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400u);
  EXPECT_EQ(failure_of("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), 400u);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\nHost: a\n\n"), 400u);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400u);
  EXPECT_EQ(failure_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 400u);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost: " + std::string(2000, 'a')), 431u);
  EXPECT_EQ(failure_of("GET / HTTP/1.0\r\n\r\n"), 0u);
}

TEST(RequestReader, TakesAbsoluteTargetsAndNoOthers) {
  const auto path_of = [](const std::string& target) {
    RequestReader reader(1000);
    feed(reader, "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n");
    const Request request = reader.take_head();
    return request.path + "?" + request.query;
  };
  EXPECT_EQ(path_of("http://h:1/a?b"), "/a?b");
  EXPECT_EQ(path_of("http://h"), "/?");
  EXPECT_EQ(path_of("http://h?b"), "/?b");
  EXPECT_EQ(path_of("*"), "?");
  EXPECT_EQ(path_of("h:443"), "?");
}

TEST(ResponseReader, ReadsAnswers) {
  ResponseReader reader(100, false);
  feed(reader, "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(reader.is_done());
  EXPECT_TRUE(reader.keep_alive());
  const Response response = reader.take();
  EXPECT_EQ(response.status, 404u);
  EXPECT_EQ(response.content_type, "text/plain");
  EXPECT_EQ(response.body, "no");

  ResponseReader open(100, false);
  feed(open, "HTTP/1.1 200 OK\r\n\r\nup to the end");
  EXPECT_FALSE(open.is_done());
  open.end();
  ASSERT_TRUE(open.is_done());
  EXPECT_FALSE(open.keep_alive());
  EXPECT_EQ(open.take().body, "up to the end");

  ResponseReader large(10, false);
  large.feed("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello");
  EXPECT_TRUE(large.is_failed());

  ResponseReader torn(100, false);
  feed(torn, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nab");
  torn.end();
  EXPECT_TRUE(torn.is_failed());

  ResponseReader head(100, true);
  head.feed("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n");
  EXPECT_TRUE(head.is_done());
}

}  // namespace
}  // namespace segue::http
