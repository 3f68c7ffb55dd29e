// SPDX-License-Identifier: Apache-2.0
#include "lib/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace segue::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

const Environment kBare{{}, "host-7"};
constexpr const char* kSmallest = "state: {directory: /data}\nkafka: {brokers: 'one:9092'}\n";

Config parsed(const std::string& text, const Environment& environment = kBare) {
  auto config = parse(text, "segue.yaml", environment);
  EXPECT_TRUE(config) << to_text(config.error());
  return config ? *config : Config{};
}

std::string mistakes(const std::string& text, const Environment& environment = kBare) {
  const auto config = parse(text, "segue.yaml", environment);
  return config ? "none" : to_text(config.error());
}

TEST(Configuration, TheSmallestHasDefaultsForTheRest) {
  Config wanted;
  wanted.state.directory = "/data";
  wanted.kafka.brokers = "one:9092";
  wanted.kafka.group = "segue";
  wanted.instance = "host-7";
  EXPECT_EQ(parsed(kSmallest), wanted);
}

TEST(Configuration, WhatItIsForSaysWhatMustBeThere) {
  const auto missing = [](Purpose purpose) {
    const auto config = parse("", "segue.yaml", kBare, purpose);
    return config ? std::string("none") : to_text(config.error());
  };
  EXPECT_THAT(missing(Purpose::kEngine), AllOf(HasSubstr("state.directory is missing"), HasSubstr("kafka.brokers is missing")));
  EXPECT_THAT(missing(Purpose::kClient), AllOf(Not(HasSubstr("state.directory")), HasSubstr("kafka.brokers is missing")));
  EXPECT_EQ(missing(Purpose::kEmbedded), "none");
}

TEST(Configuration, EveryKindOfValueIsRead) {
  const Config config = parsed(R"(
application: shop
instance: shop-1
definitions: /etc/segue/shop.yaml
standby: all
state: {directory: /data, cache_profiles: 5, dirty_profiles: "6", block_cache: 1GiB}
kafka:
  brokers: one:9092,two:9092
  input: clicks
  group: readers
  workers: 2
  properties:
    client.rack: eu-1
    linger.ms: 5
  producer: {compression.type: lz4}
commit: {interval: 250ms, outputs: 7, bytes: 65536, events: 8}
clock: {follow_wall_clock: false, step: 1h, future_bound: 0ms, jump_bound: 2h}
http: {listen: ''}
log: {level: debug, format: json}
)");
  EXPECT_EQ(config.application, "shop");
  EXPECT_EQ(config.instance, "shop-1");
  EXPECT_EQ(config.standby, "all");
  EXPECT_EQ(config.state.dirty_profiles, 6u);
  EXPECT_EQ(config.state.block_cache_bytes, 1u << 30);
  EXPECT_EQ(config.kafka.group, "readers");
  EXPECT_THAT(config.kafka.properties, UnorderedElementsAre(Pair("client.rack", "eu-1"), Pair("linger.ms", "5")));
  EXPECT_THAT(config.kafka.producer, UnorderedElementsAre(Pair("compression.type", "lz4")));
  EXPECT_EQ(config.commit.interval, Duration{250});
  EXPECT_EQ(config.commit.bytes, 65536u);
  EXPECT_FALSE(config.clock.follow_wall_clock);
  EXPECT_EQ(config.clock.step, Duration{3'600'000});
  EXPECT_EQ(config.clock.jump_bound, Duration{7'200'000});
  EXPECT_EQ(config.http.listen, "");
  EXPECT_EQ(config.log.format, "json");
}

TEST(Configuration, GroupFollowsTheApplication) {
  EXPECT_EQ(parsed(std::string("application: shop\n") + kSmallest).kafka.group, "shop");
  EXPECT_EQ(parsed(kSmallest, {{{"SEGUE_APPLICATION", "shop"}}, "host"}).kafka.group, "shop");
}

TEST(Configuration, WhatHasNoDefaultIsMissing) {
  EXPECT_EQ(mistakes(""),
            "segue.yaml:1:1: state.directory is missing: it has no default\n"
            "segue.yaml:1:1: kafka.brokers is missing: it has no default\n");
  EXPECT_EQ(mistakes("state: {directory: /data}\nkafka:\n  input: events\n"), "segue.yaml:2:1: kafka.brokers is missing: it has no default\n");
  EXPECT_EQ(mistakes(kSmallest, {{}, ""}), "segue.yaml:1:1: instance is missing: the host's name cannot be used as a name\n");
}

TEST(Configuration, ASectionWithNothingInItIsEmpty) { EXPECT_EQ(mistakes(std::string("commit:\nlog: ~\n") + kSmallest), "none"); }

TEST(Configuration, AllMistakesAreToldInTheOrderOfTheFile) {
  EXPECT_EQ(mistakes(R"(application: my shop
state:
  directory: /data
  directory: /more
  cache_profiles: 0
kafka:
  brokers: [one:9092, two:9092]
  borkers: one:9092
  workers: 2.5
log:
  level:
comit: {}
)"),
            "segue.yaml:1:14: application: found 'my shop', expected a name of up to 249 letters, digits, dots, underscores and dashes\n"
            "segue.yaml:4:3: the key 'directory' is given twice\n"
            "segue.yaml:5:19: state.cache_profiles: found '0', expected a whole number, at least 1\n"
            "segue.yaml:7:12: kafka.brokers: found a list, expected text on one line\n"
            "segue.yaml:8:3: unknown key 'borkers' in kafka; did you mean 'brokers'?\n"
            "segue.yaml:9:12: kafka.workers: found '2.5', expected a whole number from 1 to 256\n"
            "segue.yaml:11:3: log.level: found nothing, expected one of debug, info, warn, error\n"
            "segue.yaml:12:1: unknown key 'comit'; did you mean 'commit'?\n");
}

TEST(Configuration, ColumnsCountCharacters) {
  EXPECT_THAT(mistakes("state: {directory: /数据, cache_profile: 1}\nkafka: {brokers: b}\n"),
              HasSubstr("segue.yaml:1:25: unknown key 'cache_profile'"));
}

TEST(Configuration, AnUnknownKeyNamesWhatWasMeant) {
  const std::string rest = kSmallest;
  EXPECT_THAT(mistakes("block_cache: 1GiB\n" + rest), HasSubstr("unknown key 'block_cache'; did you mean 'state.block_cache'?"));
  EXPECT_THAT(mistakes("log.level: info\n" + rest), HasSubstr("unknown key 'log.level'; write 'level' below 'log'"));
  EXPECT_THAT(mistakes("commit: {size: 5}\n" + rest), HasSubstr("unknown key 'size' in commit, expected one of: interval, outputs, bytes, events"));
  EXPECT_THAT(mistakes("<<: 5\n" + rest), HasSubstr("unknown key '...'"));
  EXPECT_THAT(mistakes("[a, b]: 5\n" + rest), HasSubstr("expected a key"));
}

TEST(Configuration, AValueIsNoSectionAndASectionNoValue) {
  EXPECT_THAT(mistakes("state: /data\nkafka: {brokers: b}\n"), HasSubstr("1:8: state: found a value, expected a mapping of keys and values"));
  EXPECT_THAT(mistakes("state: {directory: {path: /data}}\nkafka: {brokers: b}\n"), HasSubstr("state.directory: found a mapping, expected text"));
  EXPECT_THAT(mistakes("state: {directory: /data}\nkafka: {brokers: b, properties: [a]}\n"), HasSubstr("kafka.properties: found a list"));
}

TEST(Configuration, WhatIsNoYamlIsToldWithItsPlace) {
  EXPECT_THAT(mistakes("state: {directory: /data\nkafka: [}"), HasSubstr("segue.yaml:2:"));
  EXPECT_THAT(mistakes("just text"), HasSubstr("segue.yaml:1:1: expected a mapping of keys and values"));
  EXPECT_THAT(mistakes(std::string(kSmallest) + "---\nlog: {}\n"), HasSubstr("found more after the end"));
  EXPECT_THAT(mistakes("\xff\xfe"), HasSubstr("the file is not UTF-8 text"));
  EXPECT_THAT(mistakes(std::string(2 << 20, '#')), HasSubstr("larger than 1 MiB"));
  EXPECT_THAT(mistakes(std::string(5000, '[')), HasSubstr("this is not YAML"));
}

TEST(Configuration, NoMoreThanFiftyMistakesAreTold) {
  std::string text;
  for (int i = 0; i < 80; ++i) text += "key_" + std::to_string(i) + ": 1\n";
  const auto config = parse(text, "segue.yaml", kBare);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().size(), 50u);
}

TEST(Configuration, TopicsMustDiffer) {
  EXPECT_EQ(mistakes("state: {directory: /data}\nkafka:\n  brokers: b\n  journal: events\n"),
            "segue.yaml:4:12: kafka.journal and kafka.input must not be the same topic\n");
  EXPECT_EQ(mistakes("state: {directory: /data}\nkafka:\n  brokers: b\n  input: transitions\n"),
            "segue.yaml:4:10: kafka.input and kafka.transitions must not be the same topic\n");
}

TEST(Configuration, MistakesOfSeveralKeysTogetherComeAtTheirPlaces) {
  EXPECT_EQ(mistakes("kafka:\n  journal: events\n  brokers: b\nstate: {directory: /data}\ncomit: 5\n", {{{"SEGUE_KAFKA_TOPIC", "x"}}, "host"}),
            "segue.yaml:2:12: kafka.journal and kafka.input must not be the same topic\n"
            "segue.yaml:5:1: unknown key 'comit'; did you mean 'commit'?\n"
            "SEGUE_KAFKA_TOPIC: no key has this variable\n");
}

TEST(Configuration, SnapshotsAreNotAmongTheState) {
  EXPECT_THAT(mistakes(std::string("snapshots: {directory: /data/}\n") + kSmallest),
              HasSubstr("1:24: snapshots.directory must not be state.directory"));
}

TEST(Configuration, PropertiesThatBreakExactlyOnceAreRefusedWithTheReason) {
  const std::string text = "state: {directory: /data}\nkafka:\n  brokers: b\n  consumer:\n    enable.auto.commit: true\n    isolation.level: {}\n";
  EXPECT_THAT(mistakes(text), AllOf(HasSubstr("segue.yaml:5:5: kafka.consumer: 'enable.auto.commit' is refused: the position comes from the journal"),
                                    HasSubstr("segue.yaml:6:5: kafka.consumer: 'isolation.level' is refused: ")));
  EXPECT_THAT(mistakes("state: {directory: /data}\nkafka:\n  brokers: b\n  properties: {linger.ms: [5]}\n"),
              HasSubstr("kafka.properties: 'linger.ms': found a list, expected the property's value"));
}

TEST(Environment, GoesBeforeTheFile) {
  const Environment environment{
      {{"SEGUE_KAFKA_BROKERS", "two:9092"}, {"SEGUE_COMMIT_INTERVAL", "2s"}, {"SEGUE_STANDBY", "all"}, {"SEGUE_HTTP_LISTEN", ""}}, "host"};
  const Config config = parsed(kSmallest, environment);
  EXPECT_EQ(config.kafka.brokers, "two:9092");
  EXPECT_EQ(config.commit.interval, Duration{2'000});
  EXPECT_EQ(config.standby, "all");
  EXPECT_EQ(config.http.listen, "");
  EXPECT_EQ(config.state.directory, "/data");
}

TEST(Environment, GivesWhatTheFileLeavesOut) {
  EXPECT_EQ(mistakes("", {{{"SEGUE_KAFKA_BROKERS", "b"}, {"SEGUE_STATE_DIRECTORY", "/data"}}, "host"}), "none");
}

TEST(Environment, MistakesNameTheVariable) {
  EXPECT_EQ(mistakes(std::string("comit: {}\n") + kSmallest,
                     {{{"SEGUE_KAFKA_WORKERS", "0"}, {"SEGUE_KAFKA_PROPERTIES", "{}"}, {"SEGUE_COMMIT_INTERVALL", "1s"}, {"SEGUE_KAFKA_TOPIC", "x"}},
                      "host"}),
            "segue.yaml:1:1: unknown key 'comit'; did you mean 'commit'?\n"
            "SEGUE_COMMIT_INTERVALL: no key has this variable; did you mean SEGUE_COMMIT_INTERVAL?\n"
            "SEGUE_KAFKA_PROPERTIES: kafka.properties is a mapping, which only the file can give\n"
            "SEGUE_KAFKA_TOPIC: no key has this variable\n"
            "SEGUE_KAFKA_WORKERS: kafka.workers: found '0', expected a whole number from 1 to 256\n");
}

TEST(Environment, OnlyNamesThatLookLikeAKeyAreOurs) {
  const auto alone = [](const char* name, const char* value) { return mistakes(kSmallest, {{{name, value}}, "host"}); };
  for (const char* name : {"SEGUE_FIGURES", "SEGUE_JOBS", "SEGUE_UPDATE_DOCS", "SEGUE_SIMULATION_SEEDS", "SEGUE_FUZZ_SECONDS", "SEGUE_KAFKA_JARS",
                           "SEGUE_KAFKA_SERVICE_HOST", "SEGUE_KAFKA_SERVICE_PORT", "SEGUE_HTTP_SERVICE_PORT_METRICS", "SEGUE_KAFKA_PORT_9092_TCP",
                           "SEGUE_KAFKA_PORT_9092_TCP_ADDR", "SEGUE_PORT", "KAFKA_BROKERS", "PATH"})
    EXPECT_EQ(alone(name, "1"), "none") << name;
  EXPECT_EQ(alone("SEGUE_KAFKA_PORT", "tcp://10.0.0.7:9092"), "none");
  for (const char* name : {"SEGUE_KAFKA_PORT", "SEGUE_KAFKA_BROKER", "SEGUE_STANBY", "SEGUE_LOG_COLOUR", "SEGUE_INSTANZ", "SEGUE_KAFKA_PORT_X"})
    EXPECT_NE(alone(name, "9092"), "none") << name;
}

TEST(Environment, OfTheProcessHasOurVariablesAndTheHost) {
  ASSERT_EQ(setenv("SEGUE_LOG_LEVEL", "debug", 1), 0);
  const Environment environment = Environment::of_process();
  unsetenv("SEGUE_LOG_LEVEL");
  EXPECT_EQ(environment.variables.at("SEGUE_LOG_LEVEL"), "debug");
  EXPECT_FALSE(environment.variables.contains("PATH"));
  EXPECT_FALSE(environment.host_name.empty());
}

TEST(Configuration, IsToldApartFromDefinitions) {
  EXPECT_TRUE(looks_like_configuration("# ours\nkafka: {"));
  EXPECT_TRUE(looks_like_configuration("log: {}\nstate:\n"));
  EXPECT_TRUE(looks_like_configuration("embedded: {partitions: 2}\n"));
  EXPECT_FALSE(looks_like_configuration("version: 1\nsegments:\n  kafka: x\n# kafka:\n"));
  EXPECT_FALSE(looks_like_configuration(""));
}

TEST(ToYaml, IsReadAsTheSameConfiguration) {
  Config config = parsed(kSmallest);
  EXPECT_EQ(parsed(to_yaml(config)), config);
  config.state.directory = "/my \"data\"\\: 女装 #1";
  config.definitions = "-";
  config.kafka.properties = {{"linger.ms", "5"}, {"odd name: #", "two\nlines\t"}, {"empty", ""}};
  config.kafka.security = {.protocol = "sasl_ssl", .mechanism = "PLAIN", .username = "null", .password_file = "/secret"};
  config.commit.interval = Duration{90'000};
  EXPECT_EQ(parsed(to_yaml(config)), config);
}

TEST(ToYaml, ShowsNoSecret) {
  Config config = parsed(kSmallest);
  config.kafka.security.password = "5ecret";
  config.kafka.security.key_password = "5ecret";
  config.kafka.producer = {{"ssl.key.pem", "5ecret"}, {"linger.ms", "5"}};
  const std::string text = to_yaml(config);
  EXPECT_THAT(
      text, AllOf(Not(HasSubstr("5ecret")), HasSubstr("password: \"<hidden>\""), HasSubstr("ssl.key.pem: \"<hidden>\""), HasSubstr("linger.ms: 5")));
  config.kafka.security.password_file = "/run/secrets/password";
  EXPECT_THAT(to_yaml(config), AllOf(Not(HasSubstr("5ecret")), HasSubstr("password: \"\"\n"), HasSubstr("password_file: /run/secrets/password")));
}

}  // namespace
}  // namespace segue::config
