// SPDX-License-Identifier: Apache-2.0
#include "lib/http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::http {
namespace {

using testing::HasSubstr;

Response ask(const Router& router, Request request) {
  Response answer{.status = 0};
  router(std::move(request), Responder([&](Response response) { answer = std::move(response); }));
  return answer;
}

// Answers with the template and what its names took.
AsyncHandler echo() {
  return answer_at_once([](const Request& request) {
    std::string text(request.route);
    for (const auto& [name, value] : request.path_parameters) text += " " + name + "=" + value;
    for (const auto& [name, value] : request.parameters) text += " ?" + name + "=" + value;
    return Response{.body = text};
  });
}

TEST(Router, CallsTheHandlerOfThePath) {
  Router router;
  router.get("/a", [](const Request& request) { return Response{.body = "a?" + request.query}; });
  router.get("/b", [](const Request&) { return Response{.status = 503, .body = "b"}; });
  EXPECT_EQ(ask(router, {"GET", "/a", "x=1"}).body, "a?x=1");
  EXPECT_EQ(ask(router, {"HEAD", "/a", ""}).status, 200u);
  EXPECT_EQ(ask(router, {"GET", "/b", ""}).status, 503u);
}

TEST(Router, RefusesUnknownPathsAndOtherMethods) {
  Router router;
  router.get("/a", [](const Request&) { return Response{}; });
  router.add("DELETE", "/a", echo());
  EXPECT_EQ(ask(router, {"GET", "/", ""}).status, 404u);
  EXPECT_EQ(ask(router, {"GET", "/a/", ""}).status, 404u);
  for (const char* method : {"POST", "TRACE", "get"}) {
    const Response response = ask(router, {method, "/a", ""});
    EXPECT_EQ(response.status, 405u) << method;
    EXPECT_EQ(response.allow, "GET, HEAD, DELETE");
    EXPECT_EQ(response.content_type, "application/problem+json");
  }
}

TEST(Router, TakesPiecesOfThePathDecoded) {
  Router router;
  router.add("GET", "/v1/profiles/{user_id}", echo());
  router.add("GET", "/v1/profiles/{user_id}/history", echo());
  EXPECT_EQ(ask(router, {"GET", "/v1/profiles/u%2F1", ""}).body, "/v1/profiles/{user_id} user_id=u/1");
  EXPECT_EQ(ask(router, {"GET", "/v1/profiles/%E4%BD%A0+/history", ""}).body, "/v1/profiles/{user_id}/history user_id=你+");
  EXPECT_EQ(ask(router, {"GET", "/v1/profiles/", ""}).status, 404u);
  EXPECT_EQ(ask(router, {"GET", "/v1/profiles/a/b", ""}).status, 404u);
  EXPECT_EQ(ask(router, {"GET", "/v1/profiles/a%2", ""}).status, 400u);
}

TEST(Router, AFixedPathGoesBeforeATemplate) {
  Router router;
  router.add("GET", "/v1/profiles/{user_id}", echo());
  router.add("POST", "/v1/profiles/lookup", echo());
  router.add("GET", "/v1/profiles/me", echo());
  EXPECT_EQ(ask(router, {"GET", "/v1/profiles/me", ""}).body, "/v1/profiles/me");
  EXPECT_EQ(ask(router, {"POST", "/v1/profiles/lookup", ""}).body, "/v1/profiles/lookup");
  EXPECT_EQ(ask(router, {"GET", "/v1/profiles/lookup", ""}).body, "/v1/profiles/{user_id} user_id=lookup");
  EXPECT_EQ(ask(router, {"PUT", "/v1/profiles/lookup", ""}).allow, "POST, GET, HEAD");
}

TEST(Router, TakesTheRestOfAPath) {
  Router router;
  router.add("GET", "/assets/{path...}", echo());
  EXPECT_EQ(ask(router, {"GET", "/assets/js/a%20b.js", ""}).body, "/assets/{path...} path=js/a b.js");
  EXPECT_EQ(ask(router, {"GET", "/assets", ""}).status, 404u);
}

TEST(Router, DecodesTheQuery) {
  Router router;
  router.add("GET", "/a", echo());
  EXPECT_EQ(ask(router, {"GET", "/a", "x=1&y=%26+z&x"}).body, "/a ?x=1 ?y=& z ?x=");
  EXPECT_EQ(ask(router, {"GET", "/a", "x=%zz"}).status, 400u);
}

std::shared_ptr<Keyring> tokens() {
  static const auto hex = [](std::string_view token) {
    std::string text;
    for (const uint8_t byte : sha256(token)) {
      static constexpr char kDigits[] = "0123456789abcdef";
      text.append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
    return text;
  };
  const TokenOptions options[] = {{.name = "reader", .sha256 = hex("secret-of-reader"), .scopes = "read"},
                                  {.name = "eraser", .sha256 = hex("secret-of-eraser"), .scopes = "read,erase"}};
  return std::make_shared<Keyring>(std::make_shared<const TokenTable>(*TokenTable::make(options)));
}

Request with(std::string authorization) { return {"GET", "/p", "", {{"authorization", std::move(authorization)}}}; }

TEST(Router, AsksForATokenWithTheScope) {
  Router router;
  router.add("GET", "/p", answer_at_once([](const Request& request) { return Response{.body = request.token_name}; }), {.scope = Scope::kErase});
  router.get("/open", [](const Request&) { return Response{}; });
  EXPECT_TRUE(router.is_open());
  EXPECT_EQ(ask(router, {"GET", "/p", ""}).status, 200u);
  router.authorize(tokens());
  EXPECT_FALSE(router.is_open());
  const Response none = ask(router, {"GET", "/p", ""});
  EXPECT_EQ(none.status, 401u);
  EXPECT_THAT(none.headers[0].value, HasSubstr("Bearer"));
  EXPECT_EQ(ask(router, with("Bearer secret-of-nobody")).status, 401u);
  EXPECT_EQ(ask(router, with("Basic secret-of-eraser")).status, 401u);
  const Response other = ask(router, with("Bearer secret-of-reader"));
  EXPECT_EQ(other.status, 403u);
  EXPECT_THAT(other.headers[0].value, HasSubstr("insufficient_scope"));
  EXPECT_EQ(ask(router, with("bearer secret-of-eraser")).body, "eraser");
  EXPECT_EQ(ask(router, {"GET", "/open", ""}).status, 200u);
}

TEST(Router, HoldsGuessesBack) {
  Router router;
  router.add("GET", "/p", echo(), {.scope = Scope::kRead});
  router.authorize(tokens());
  EXPECT_EQ(ask(router, with("Bearer secret-of-reader")).status, 200u);
  for (int i = 0; i < 100; ++i) ask(router, {"GET", "/p", ""});  // without a token: no guesses
  EXPECT_EQ(ask(router, with("Bearer secret-of-nobody")).status, 401u);
  for (int i = 0; i < 100; ++i) ask(router, with("Bearer secret-of-nobody"));
  const Response refused = ask(router, with("Bearer secret-of-eraser"));
  EXPECT_EQ(refused.status, 429u);
  EXPECT_EQ(refused.headers[0].name, "Retry-After");
  EXPECT_EQ(ask(router, with("Bearer secret-of-reader")).status, 200u);
  Request elsewhere = with("Bearer secret-of-eraser");
  elsewhere.remote_ip = "192.0.2.1";
  EXPECT_EQ(ask(router, std::move(elsewhere)).status, 200u);
}

TEST(Router, WithoutTokensNoOtherSiteGetsIn) {
  Router router;
  router.add("GET", "/p", echo(), {.scope = Scope::kRead});
  router.get("/open", [](const Request&) { return Response{}; });
  const auto status = [&](const char* path, std::vector<Header> headers) { return ask(router, {"GET", path, "", std::move(headers)}).status; };
  for (const char* host : {"localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"}) EXPECT_EQ(status("/p", {{"Host", host}}), 200u) << host;
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ":80"}) {
    EXPECT_EQ(status("/p", {{"Host", host}}), 421u) << host;
    EXPECT_EQ(status("/open", {{"Host", host}}), 200u) << host;
  }
  EXPECT_EQ(status("/p", {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}}), 200u);
  EXPECT_EQ(status("/p", {{"Host", "localhost:8080"}, {"Origin", "http://localhost:9090"}}), 421u);
  EXPECT_EQ(status("/p", {{"Host", "localhost:8080"}, {"Origin", "null"}}), 421u);
  router.authorize(tokens());
  EXPECT_EQ(status("/p", {{"Host", "evil.example"}, {"Authorization", "Bearer secret-of-reader"}}), 200u);
}

TEST(Router, AGateRefusesBeforeTheHandler) {
  Router router;
  router.add("GET", "/p", echo(), {.gate = [](const Request& request) -> std::optional<Response> {
               if (request.header("Key") == "1") return std::nullopt;
               return problem(429);
             }});
  EXPECT_EQ(ask(router, {"GET", "/p", ""}).status, 429u);
  EXPECT_EQ(ask(router, {"GET", "/p", "", {{"key", "1"}}}).status, 200u);
}

}  // namespace
}  // namespace segue::http
