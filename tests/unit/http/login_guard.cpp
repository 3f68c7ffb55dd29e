// SPDX-License-Identifier: Apache-2.0
#include "lib/http/login_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::http {
namespace {

using std::chrono::seconds;

const TokenTable::Token kReader{.name = "reader", .scopes = 1};
const TokenTable::Token kOther{.name = "other", .scopes = 1};

class LoginGuardTest : public testing::Test {
 protected:
  unsigned ask(std::string_view from, const TokenTable::Token* token) {
    const auto refusal = guard_.refuse(from, token, now_);
    if (!refusal) return token == nullptr ? 401 : 200;
    retry_after_ = refusal->headers[0].value;
    return refusal->status;
  }
  void guess(std::string_view from, int times) {
    for (int i = 0; i < times; ++i) ask(from, nullptr);
  }

  LoginGuard guard_{{.wrong_per_minute = 20, .burst = 5, .max_addresses = 3}};
  LoginGuard::Time now_{};
  std::string retry_after_;
};

TEST_F(LoginGuardTest, RightAndWrongGuessesAreRefusedAlikeForAWhile) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask("10.0.0.1", nullptr), 401u);
  EXPECT_EQ(ask("10.0.0.1", nullptr), 429u);
  EXPECT_EQ(retry_after_, "3");
  EXPECT_EQ(ask("10.0.0.1", &kReader), 429u);
  EXPECT_EQ(ask("10.0.0.2", &kReader), 200u);
  now_ += seconds(3);
  EXPECT_EQ(ask("10.0.0.1", &kReader), 200u);
}

TEST_F(LoginGuardTest, ATokenThatWasRightFromThereBeforeStillPasses) {
  EXPECT_EQ(ask("10.0.0.1", &kReader), 200u);
  guess("10.0.0.1", 100);
  EXPECT_EQ(ask("10.0.0.1", &kReader), 200u);
  EXPECT_EQ(ask("10.0.0.1", &kOther), 429u);
}

TEST_F(LoginGuardTest, ANetworkOfIPv6IsOneAddress) {
  guess("2001:db8::1", 5);
  EXPECT_EQ(ask("2001:db8::ffff:2", &kReader), 429u);
  EXPECT_EQ(ask("2001:db8:0:1::1", &kReader), 200u);
  guess("::ffff:10.0.0.1", 5);
  EXPECT_EQ(ask("10.0.0.1", &kReader), 429u);
  EXPECT_EQ(ask("::ffff:10.0.0.2", &kReader), 200u);
}

TEST_F(LoginGuardTest, TheTableIsBoundedAndQuietAddressesGoFirst) {
  guess("10.0.0.1", 5);
  ask("10.0.0.2", &kReader);
  ask("10.0.0.3", &kReader);
  EXPECT_EQ(ask("10.0.0.4", nullptr), 401u);
  EXPECT_EQ(guard_.addresses(), 2u);
  EXPECT_EQ(ask("10.0.0.1", &kReader), 429u);
  guess("10.0.0.4", 5);
  guess("10.0.0.5", 5);
  now_ += seconds(1);
  EXPECT_EQ(ask("10.0.0.6", &kReader), 200u);  // no room: not counted, nor refused
  EXPECT_EQ(guard_.addresses(), 3u);
}

}  // namespace
}  // namespace segue::http
