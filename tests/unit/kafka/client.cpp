// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/kafka/commit_status.h"

namespace segue::kafka {
namespace {

using testing::HasSubstr;

TEST(Client, GivenPropertiesWinOverDefaultsButNotOverWhatIsForced) {
  ClientOptions options;
  options.brokers = "a:1";
  options.properties = {{"socket.timeout.ms", "7000"}, {"bootstrap.servers", "other:1"}};
  options.producer = {{"linger.ms", "3"}, {"acks", "1"}};
  options.security = {.protocol = "sasl_ssl", .password = "secret"};
  const Properties all = properties_of(options, ClientKind::kTransactions, {{"acks", "all"}});
  EXPECT_EQ(all.at("socket.timeout.ms"), "7000");
  EXPECT_EQ(all.at("linger.ms"), "3");
  EXPECT_EQ(all.at("acks"), "all");
  EXPECT_EQ(all.at("bootstrap.servers"), "a:1");
  EXPECT_EQ(all.at("sasl.password"), "secret");
  EXPECT_FALSE(all.contains("sasl.username"));
  EXPECT_EQ(all.at("retry.backoff.ms"), "1");
  EXPECT_FALSE(properties_of(options, ClientKind::kReader).contains("linger.ms"));
}

TEST(Client, ScramIsOfConcernBeforeTheVersionThatKafkaFourLetsIn) {
  EXPECT_THAT(login_concern({.mechanism = "SCRAM-SHA-256"}, 0x020002ff), HasSubstr("this is 2.0.2"));
  EXPECT_THAT(login_concern({.mechanism = "SCRAM-SHA-512"}, 0x020600ff), HasSubstr("this is 2.6.0"));
  EXPECT_EQ(login_concern({.mechanism = "SCRAM-SHA-512"}, 0x020601ff), "");
  EXPECT_EQ(login_concern({.mechanism = "PLAIN"}, 0x020002ff), "");
  EXPECT_EQ(login_concern({}, 0x020002ff), "");
}

TEST(Client, RefusesAnUnknownProperty) {
  ClientOptions options;
  options.properties = {{"no.such.property", "1"}};
  const auto client = Client::open(options, ClientKind::kReader, {}, {});
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().kind, ErrorClass::kUsage);
  EXPECT_THAT(client.error().message, HasSubstr("kafka property no.such.property"));
}

TEST(Client, OpensWithoutABroker) {
  ClientOptions options;
  options.brokers = "127.0.0.1:1";
  for (const ClientKind kind : {ClientKind::kReader, ClientKind::kInspector}) EXPECT_TRUE(Client::open(options, kind, {}, {}).has_value());
  EXPECT_TRUE(Client::open(options, ClientKind::kTransactions, {{"transactional.id", "a-0"}}, {}).has_value());
  EXPECT_TRUE(Client::open(options, ClientKind::kGroupMember, {{"group.id", "a"}}, {}).has_value());
}

TEST(CommitStatus, CountsADurationInTheFirstBucketThatHoldsIt) {
  CommitStatus status;
  status.count_duration(0.001);
  status.count_duration(0.0011);
  status.count_duration(100);
  EXPECT_EQ(status.duration_buckets[0], 1u);
  EXPECT_EQ(status.duration_buckets[1], 1u);
  EXPECT_EQ(status.duration_buckets.back(), 1u);
  EXPECT_DOUBLE_EQ(status.duration_sum_seconds, 100.0021);
}

}  // namespace
}  // namespace segue::kafka
