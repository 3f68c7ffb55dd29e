// SPDX-License-Identifier: Apache-2.0
#include "lib/http/operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/http/client.h"
#include "lib/telemetry/metric_page.h"

namespace segue::http {
namespace {

TEST(Operations, AreServedWhereTheConfigurationSays) {
  auto server = serve_operations(
      "127.0.0.1:0", {.livez = {}, .readyz = [] { return Response{.status = 503, .body = "not yet\n"}; }, .metrics = [] { return "a 1\n"; }});
  ASSERT_TRUE(server) << server.error().message;
  const auto client = Client::start({});
  ASSERT_TRUE(client) << client.error().message;
  const auto ask = [&](const char* target) { return (*client)->ask({.address = (*server)->address(), .target = target}).value(); };
  EXPECT_EQ(ask("/livez").status, 200u);
  EXPECT_EQ(ask("/readyz").status, 503u);
  EXPECT_EQ(ask("/readyz").body, "not yet\n");
  const auto metrics = ask("/metrics");
  EXPECT_EQ(metrics.body, "a 1\n");
  EXPECT_EQ(ask("/other").status, 404u);
}

TEST(Operations, AreNotServedWithoutAnAddress) {
  const auto none = serve_operations("", {});
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, nullptr);
  EXPECT_FALSE(serve_operations("somewhere", {}));
}

}  // namespace
}  // namespace segue::http
