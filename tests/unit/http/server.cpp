// SPDX-License-Identifier: Apache-2.0
#include "lib/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/http/router.h"
#include "tests/unit/http/socket.h"

namespace segue::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::unique_ptr<Server> start(Server::Options options = {}) {
  Router router;
  router.get("/hello", [](const Request& request) { return Response{.body = "你好 " + request.query + "\n"}; });
  options.address = {"127.0.0.1", 0};
  auto server = Server::start(options, router);
  EXPECT_TRUE(server);
  return std::move(*server);
}

std::string ask(const Server& server, std::string_view request) {
  Socket client(server.address().port);
  client.send(request);
  return client.read_all();
}

TEST(Server, AnswersWithStatusTypeAndBody) {
  const auto server = start();
  const std::string answer = ask(*server, "GET /hello?name=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 14\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n你好 name=1\n"));
}

TEST(Server, AnswersHeadWithoutABody) {
  const auto server = start();
  const std::string answer = ask(*server, "HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(Server, KeepsAConnectionForSeveralRequests) {
  const auto server = start();
  Socket client(server->address().port);
  for (int i = 0; i < 3; ++i) {
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.read_until("\r\n\r\n"), Not(IsEmpty()));
    EXPECT_EQ(client.read_until("\n"), "你好 \n");
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  const auto server = start();
  const std::string answer = ask(*server,
                                 "GET /hello?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n"
                                 "GET /hello?3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const size_t first = answer.find("你好 1"), second = answer.find("404 Not Found"), third = answer.find("你好 3");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos);
}

TEST(Server, RefusesOtherMethodsWithAllow) {
  const auto server = start();
  const std::string answer = ask(*server, "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST(Server, AnswersNonsenseWithBadRequest) {
  const auto server = start();
  EXPECT_THAT(ask(*server, "what is this\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(*server, "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST(Server, RefusesLargeHeadersAndBodies) {
  const auto server = start();
  EXPECT_THAT(ask(*server, "GET /hello HTTP/1.1\r\nX: " + std::string(20'000, 'x')), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask(*server, "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
}

TEST(Server, ClosesAConnectionThatSaysNothing) {
  Server::Options options;
  options.idle_timeout = options.request_timeout = std::chrono::milliseconds(50);
  const auto server = start(options);
  EXPECT_EQ(ask(*server, ""), "");
  EXPECT_THAT(ask(*server, "GET /hello HTTP/1.1\r\nHo"), StartsWith("HTTP/1.1 408 "));
}

TEST(Server, MoreConnectionsThanTheLimitWaitForTheirTurn) {
  Server::Options options;
  options.max_connections = 2;
  const auto server = start(options);
  auto first = std::make_unique<Socket>(server->address().port);
  auto second = std::make_unique<Socket>(server->address().port);
  for (auto* client : {first.get(), second.get()}) {
    client->send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    client->read_until("你好 \n");
  }
  Socket third(server->address().port);
  third.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  first.reset();
  EXPECT_THAT(third.read_all(), EndsWith("你好 \n"));
}

TEST(Server, SaysWhichAddressIsTaken) {
  const auto server = start();
  const auto taken = Server::start({.address = server->address()}, Router());
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("cannot listen on " + to_string(server->address()) + ": Address already in use"));
}

TEST(Server, StopsWithConnectionsOpen) {
  auto server = start();
  Socket client(server->address().port);
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  client.read_until("你好 \n");
  const uint16_t port = server->address().port;
  server.reset();
  EXPECT_EQ(client.read_all(), "");
  EXPECT_FALSE(Socket(port).connected());
}

TEST(Server, ListensOnIpv6) {
  auto server = Server::start({.address = {"::1", 0}}, Router());
  if (!server) GTEST_SKIP() << server.error().message;
  EXPECT_EQ(to_string((*server)->address()).substr(0, 6), "[::1]:");
}

}  // namespace
}  // namespace segue::http
