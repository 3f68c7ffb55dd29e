// SPDX-License-Identifier: Apache-2.0
#include "lib/config/property_rules.h"

#include <algorithm>
#include <array>

namespace segue::config {
namespace {

constexpr std::string_view kPosition = "the position comes from the journal; an offset that the client commits by itself is not in the transaction";
constexpr std::string_view kFence =
    "each partition's producer has its own, made from application and partition; another one would not fence the old owner";
constexpr std::string_view kMember = "made from application, instance and worker, so that a restart takes its partitions back at once";
constexpr std::string_view kOnce = "without an idempotent producer and the answers of all replicas a record could be lost or there twice";
constexpr std::string_view kReset = "a missing position must stop the partition, not skip or repeat events in silence; always error";
constexpr std::string_view kCommitted = "the journal is read with read_committed; an aborted commit would count otherwise";
constexpr std::string_view kEnd = "always on: the end of a partition is how a shard knows that it is at the live end";
constexpr std::string_view kRebalance = "partitions are handed over all at once (range), which the takeover relies on";
constexpr std::string_view kProtocol = "always classic: the newer protocol does not evict a stuck member in time";
constexpr std::string_view kMock = "it would replace the brokers by simulated ones";

// clang-format off
constexpr std::array kRefused = std::to_array<RefusedProperty>({
    {"acks", kOnce},
    {"auto.commit.enable", kPosition},
    {"auto.commit.interval.ms", kPosition},
    {"auto.offset.reset", kReset},
    {"bootstrap.servers", "set kafka.brokers"},
    {"enable.auto.commit", kPosition},
    {"enable.auto.offset.store", kPosition},
    {"enable.idempotence", kOnce},
    {"enable.partition.eof", kEnd},
    {"group.id", "set kafka.group"},
    {"group.instance.id", kMember},
    {"group.protocol", kProtocol},
    {"group.remote.assignor", kProtocol},
    {"isolation.level", kCommitted},
    {"metadata.broker.list", "set kafka.brokers"},
    {"offset.store.method", kPosition},
    {"partition.assignment.strategy", kRebalance},
    {"partitioner", "set kafka.partitioner"},
    {"request.required.acks", kOnce},
    {"sasl.mechanism", "set kafka.security.mechanism"},
    {"sasl.mechanisms", "set kafka.security.mechanism"},
    {"sasl.password", "set kafka.security.password_file"},
    {"sasl.username", "set kafka.security.username"},
    {"security.protocol", "set kafka.security.protocol"},
    {"ssl.ca.location", "set kafka.security.ca_file"},
    {"ssl.certificate.location", "set kafka.security.certificate_file"},
    {"ssl.key.location", "set kafka.security.key_file"},
    {"ssl.key.password", "set kafka.security.key_password_file"},
    {"test.mock.num.brokers", kMock},
    {"transactional.id", kFence},
});
// clang-format on

}  // namespace

std::span<const RefusedProperty> refused_properties() { return kRefused; }

std::string_view reason_to_refuse(std::string_view property) {
  const auto found = std::find_if(kRefused.begin(), kRefused.end(), [&](const RefusedProperty& refused) { return refused.name == property; });
  return found == kRefused.end() ? std::string_view() : found->reason;
}

bool may_be_secret(std::string_view property) {
  // ssl.key.pem, ssl.keystore.password, sasl.oauthbearer.client.secret, sasl.oauthbearer.config and their like of later versions.
  for (const std::string_view word : {"password", "secret", "pem", "token", "credential", "oauthbearer", "jaas", "passphrase"})
    if (property.find(word) != std::string_view::npos) return true;
  return false;
}

}  // namespace segue::config
