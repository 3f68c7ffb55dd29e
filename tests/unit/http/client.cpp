// SPDX-License-Identifier: Apache-2.0
#include "lib/http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "lib/http/server.h"

namespace segue::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

std::unique_ptr<Server> serve(Server::Options options = {}) {
  Router router;
  const auto echo = answer_at_once([](const Request& request) {
    return Response{.status = 201, .body = request.method + request.query + request.body + std::string(request.header("X"))};
  });
  router.add("GET", "/a", echo);
  router.add("POST", "/a", echo);
  router.add("GET", "/large", answer_at_once([](const Request&) { return Response{.body = std::string(100'000, 'x')}; }));
  auto kept = std::make_shared<std::vector<Responder>>();
  router.add("GET", "/never", [kept](const Request&, const Responder& responder) { kept->push_back(responder); });
  options.address = {"127.0.0.1", options.address.port};
  auto server = Server::start(options, router);
  EXPECT_TRUE(server) << server.error().message;
  return std::move(*server);
}

std::unique_ptr<Client> make(Client::Options options = {}) { return std::move(*Client::start(std::move(options))); }

TEST(Client, AsksAndKeepsItsConnection) {
  Server::Options options;
  options.metrics = std::make_shared<RequestMetrics>();
  const auto server = serve(options);
  const auto client = make();
  for (int i = 0; i < 5; ++i) {
    const auto answer = client->ask({.address = server->address(), .method = "POST", .target = "/a?q", .headers = {{"X", "x"}}, .body = "b"});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 201u);
    EXPECT_EQ(answer->body, "POSTqbx");
  }
  telemetry::MetricPage page;
  options.metrics->add_to(page);
  EXPECT_THAT(page.text(), HasSubstr("segue_http_connections 1\n"));
}

TEST(Client, AsksAgainWhenAKeptConnectionWasClosed) {
  auto server = serve();
  const auto client = make();
  const ListenAddress address = server->address();
  EXPECT_TRUE(client->ask({.address = address, .target = "/a"}));
  server.reset();
  Server::Options options;
  options.address = address;
  server = serve(options);
  const auto answer = client->ask({.address = address, .target = "/a"});
  EXPECT_TRUE(answer) << answer.error().message;
}

TEST(Client, LooksNamesUp) {
  const auto server = serve();
  const auto client = make();
  const auto answer = client->ask({.address = {"localhost", server->address().port}, .target = "/a"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 201u);
  const auto nobody = client->ask({.address = {"nobody.invalid", server->address().port}, .target = "/a"});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().kind, ErrorClass::kRetry);
}

TEST(Client, SaysWhatWentWrong) {
  auto server = serve();
  const ListenAddress address = server->address();
  const auto client = make({.timeout = milliseconds(100), .max_answer_bytes = 1000});
  const auto late = client->ask({.address = address, .target = "/never"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorClass::kRetry);
  EXPECT_THAT(late.error().message, HasSubstr("no answer in time"));
  const auto large = client->ask({.address = address, .target = "/large"});
  ASSERT_FALSE(large) << large->status << " " << large->body.size();
  EXPECT_EQ(large.error().kind, ErrorClass::kData);
  EXPECT_EQ(client->ask({.address = address, .target = "/a\r\nX: y"}).error().kind, ErrorClass::kUsage);
  EXPECT_EQ(client->ask({.address = address, .target = "a"}).error().kind, ErrorClass::kUsage);
  server.reset();
  const auto away = client->ask({.address = address, .target = "/a"});
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().kind, ErrorClass::kRetry);
  EXPECT_THAT(away.error().message, HasSubstr("Connection refused"));
}

TEST(Client, RequestsUnderWayFailWithItsEnd) {
  const auto server = serve();
  auto client = make();
  std::atomic<int> failed{0};
  for (int i = 0; i < 10; ++i) {
    client->send({.address = server->address(), .target = "/never"}, [&](const Result<Response>& answer) { failed += !answer; });
  }
  client.reset();
  EXPECT_EQ(failed, 10);
}

TEST(Client, RefusesMoreThanItsLimit) {
  const auto server = serve();
  const auto client = make({.max_requests = 1});
  client->send({.address = server->address(), .target = "/never"}, [](const Result<Response>&) {});
  EXPECT_THAT(client->ask({.address = server->address(), .target = "/a"}).error().message, HasSubstr("too many"));
}

}  // namespace
}  // namespace segue::http
