// SPDX-License-Identifier: Apache-2.0
#include "lib/http/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "lib/telemetry/log.h"

namespace segue::http {
namespace {

namespace log = telemetry::log;
using testing::HasSubstr;
using testing::Not;

TEST(AccessLog, WarnsOfRefusedLoginsAndTellsRequestsAtDebugLevel) {
  std::FILE* file = std::tmpfile();
  const auto text = [&] {
    std::fflush(file);
    std::rewind(file);
    std::string all(10'000, '\0');
    all.resize(std::fread(all.data(), 1, all.size(), file));
    return all;
  };
  log::configure({.level = log::Level::kInfo, .out = file});
  const auto tell = access_log();
  for (int i = 0; i < 3; ++i) tell({.method = "GET", .route = "/v1/status", .status = 401, .remote_ip = "10.0.0.1"});
  tell({.method = "GET", .route = "/v1/status", .status = 200, .remote_ip = "10.0.0.1"});
  const std::string once = text();
  EXPECT_THAT(once, HasSubstr("WARN login refused route=/v1/status status=401 remote_ip=10.0.0.1"));
  EXPECT_EQ(once.find("login refused"), once.rfind("login refused"));
  EXPECT_THAT(once, Not(HasSubstr("status=200")));
  log::set_level(log::Level::kDebug);
  tell({.method = "GET", .route = "/v1/status", .status = 200, .token_name = "console"});
  EXPECT_THAT(text(), HasSubstr("DEBUG request method=GET route=/v1/status status=200"));
  log::configure({});
  std::fclose(file);
}

}  // namespace
}  // namespace segue::http
