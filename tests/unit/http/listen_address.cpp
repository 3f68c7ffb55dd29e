// SPDX-License-Identifier: Apache-2.0
#include "lib/http/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::http {
namespace {

std::string round_trip(std::string_view text) {
  const auto address = parse_listen_address(text);
  return address ? to_string(*address) : "error: " + address.error().message;
}

TEST(ListenAddress, TakesIpAndPort) {
  EXPECT_EQ(round_trip("127.0.0.1:9464"), "127.0.0.1:9464");
  EXPECT_EQ(round_trip("0.0.0.0:0"), "0.0.0.0:0");
  EXPECT_EQ(round_trip("[::1]:9464"), "[::1]:9464");
}

TEST(ListenAddress, WithoutAHostIsThisMachineOnly) {
  EXPECT_EQ(round_trip(":9464"), "127.0.0.1:9464");
  EXPECT_EQ(round_trip("localhost:1"), "127.0.0.1:1");
}

TEST(ListenAddress, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {{"9464", "no port"},
                                                       {"", "no port"},
                                                       {"127.0.0.1:", "not a number"},
                                                       {"127.0.0.1:65536", "not a number"},
                                                       {"127.0.0.1:-1", "not a number"},
                                                       {"127.0.0.1:80x", "not a number"},
                                                       {"::1:9464", "in brackets"},
                                                       {"[127.0.0.1]:80", "not an IPv6"},
                                                       {"example.org:80", "not an IP address"}};
  for (const auto& [text, what] : wrong) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind, ErrorClass::kUsage);
    EXPECT_THAT(address.error().message, testing::HasSubstr(what)) << text;
  }
}

}  // namespace
}  // namespace segue::http
