// SPDX-License-Identifier: Apache-2.0
#include "lib/http/router.h"

#include <gtest/gtest.h>

namespace segue::http {
namespace {

TEST(Router, CallsTheHandlerOfThePath) {
  Router router;
  router.get("/a", [](const Request& request) { return Response{.body = "a?" + request.query}; });
  router.get("/b", [](const Request&) { return Response{.status = 503, .body = "b"}; });
  EXPECT_EQ(router({"GET", "/a", "x=1"}).body, "a?x=1");
  EXPECT_EQ(router({"HEAD", "/a", ""}).status, 200u);
  EXPECT_EQ(router({"GET", "/b", ""}).status, 503u);
}

TEST(Router, RefusesUnknownPathsAndOtherMethods) {
  Router router;
  router.get("/a", [](const Request&) { return Response{}; });
  EXPECT_EQ(router({"GET", "/", ""}).status, 404u);
  EXPECT_EQ(router({"GET", "/a/", ""}).status, 404u);
  for (const char* method : {"POST", "TRACE", "DELETE", "get"}) {
    const Response response = router({method, "/a", ""});
    EXPECT_EQ(response.status, 405u) << method;
    EXPECT_EQ(response.allow, "GET, HEAD");
  }
}

}  // namespace
}  // namespace segue::http
