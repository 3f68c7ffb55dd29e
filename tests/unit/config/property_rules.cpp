// SPDX-License-Identifier: Apache-2.0
#include "lib/config/property_rules.h"

#include <gtest/gtest.h>

namespace segue::config {
namespace {

TEST(PropertyRules, WhatExactlyOnceRestsOnIsRefused) {
  for (const char* name : {"enable.auto.commit", "isolation.level", "transactional.id", "group.instance.id", "enable.idempotence", "acks",
                           "auto.offset.reset", "enable.partition.eof", "group.protocol", "partition.assignment.strategy"})
    EXPECT_FALSE(reason_to_refuse(name).empty()) << name;
}

TEST(PropertyRules, OthersMayBeSet) {
  for (const char* name :
       {"linger.ms", "client.rack", "session.timeout.ms", "retry.backoff.ms", "transaction.timeout.ms", "debug", "", "enable.auto"})
    EXPECT_TRUE(reason_to_refuse(name).empty()) << name;
}

TEST(PropertyRules, PasswordsKeysAndTokensMayBeSecret) {
  for (const char* name : {"ssl.keystore.password", "ssl.key.pem", "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config"})
    EXPECT_TRUE(may_be_secret(name)) << name;
  for (const char* name : {"linger.ms", "ssl.crl.location", "client.id"}) EXPECT_FALSE(may_be_secret(name)) << name;
}

}  // namespace
}  // namespace segue::config
