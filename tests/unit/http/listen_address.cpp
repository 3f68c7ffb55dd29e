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

TEST(ServerAddress, MayBeAName) {
  for (const char* text : {"engine-1:8080", "10.0.0.7:8080", "[::1]:8080", "localhost:1", "a.b_c.example:65535"}) {
    const auto address = parse_server_address(text);
    ASSERT_TRUE(address) << address.error().message;
    EXPECT_EQ(to_string(*address), text);
  }
}

TEST(ServerAddress, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {{"engine", "no port"},       {":8080", "no name of a host"}, {"engine:0", "port 0"},
                                                       {"engine:", "not a number"}, {"a b:1", "no name"},           {"a/b:1", "no name"},
                                                       {"-a:1", "no name"},         {"http://a:1", "no name"},      {"::1:9464", "in brackets"},
                                                       {"[a]:1", "not an IPv6"},    {"\xe5\xa5\xb3:1", "no name"}};
  for (const auto& [text, what] : wrong) {
    const auto address = parse_server_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind, ErrorClass::kUsage);
    EXPECT_THAT(address.error().message, testing::HasSubstr(what)) << text;
  }
}

TEST(ServerAddress, EveryAddressOfAMachineIsNone) {
  EXPECT_TRUE(is_wildcard(*parse_listen_address("0.0.0.0:80")));
  EXPECT_TRUE(is_wildcard(*parse_listen_address("[::]:80")));
  EXPECT_FALSE(is_wildcard(*parse_listen_address(":80")));
}

}  // namespace
}  // namespace segue::http
