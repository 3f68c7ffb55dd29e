// SPDX-License-Identifier: Apache-2.0
#include "lib/config/key_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace segue::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr bool is_number(ValueKind kind) { return kind == ValueKind::kCount || kind == ValueKind::kSize || kind == ValueKind::kDuration; }

TEST(KeyTable, PathsAreLowerCaseAndUniqueAndSoAreTheirVariables) {
  std::set<std::string> names;
  for (const Key& key : key_table()) {
    EXPECT_EQ(key.path.find_first_not_of("abcdefghijklmnopqrstuvwxyz_."), std::string_view::npos) << key.path;
    EXPECT_TRUE(names.insert(std::string(key.path)).second) << key.path;
    EXPECT_TRUE(names.insert(variable_name(key)).second) << variable_name(key);
    EXPECT_FALSE(is_section(key.path)) << key.path << " is a key and a section";
    EXPECT_TRUE(key.help.ends_with('.')) << key.path;
  }
  EXPECT_TRUE(names.contains("SEGUE_KAFKA_SECURITY_PASSWORD_FILE"));
}

TEST(KeyTable, EveryDefaultIsAValueThatTheKeyTakes) {
  for (const Key& key : key_table()) {
    if (is_mapping(key.kind)) continue;
    Config config;
    const std::string text = value_text(key, config);
    if (key.required && text.empty()) continue;
    EXPECT_TRUE(set_value(key, text, config)) << key.path << ": " << text;
    EXPECT_EQ(config, Config{}) << key.path;
  }
}

TEST(KeyTable, EveryKeyHasAFieldOfItsOwn) {
  // Setting one key changes the value of that key alone.
  for (const Key& key : key_table()) {
    if (is_mapping(key.kind)) continue;
    Config config;
    std::string other = key.kind == ValueKind::kBoolean ? "false" : is_number(key.kind) ? "1001s" : "another";
    if (key.kind == ValueKind::kChoice) other = key.choices.substr(key.choices.rfind(',') + 1);
    if (is_number(key.kind)) other = key.kind == ValueKind::kDuration ? std::to_string(key.low + 1) + "ms" : std::to_string(key.low + 1);
    ASSERT_TRUE(set_value(key, other, config)) << key.path;
    EXPECT_NE(config, Config{}) << key.path;
    for (const Key& one : key_table())
      if (!is_mapping(one.kind) && one.path != key.path) {
        EXPECT_EQ(value_text(one, config), value_text(one, Config{})) << one.path;
      }
  }
}

TEST(KeyTable, NumbersAreTakenUpToTheirBoundsAndNoFurther) {
  for (const Key& key : key_table()) {
    if (!is_number(key.kind)) continue;
    const std::string unit = key.kind == ValueKind::kDuration ? "ms" : "";
    Config config;
    EXPECT_LT(key.low, key.high) << key.path;
    EXPECT_TRUE(set_value(key, std::to_string(key.low) + unit, config)) << key.path;
    EXPECT_TRUE(set_value(key, std::to_string(key.high) + unit, config)) << key.path;
    EXPECT_FALSE(set_value(key, std::to_string(key.high + 1) + unit, config)) << key.path;
    if (key.low > 0) {
      EXPECT_FALSE(set_value(key, std::to_string(key.low - 1) + unit, config)) << key.path;
    }
  }
}

TEST(KeyTable, AMessageSaysWhatWasFoundAndWhatWasExpected) {
  Config config;
  EXPECT_EQ(set_value(*find_key("kafka.workers"), "many", config).error().message, "found 'many', expected a whole number from 1 to 256");
  EXPECT_EQ(set_value(*find_key("state.cache_profiles"), "0", config).error().message, "found '0', expected a whole number, at least 1");
  EXPECT_EQ(set_value(*find_key("state.block_cache"), "1KiB", config).error().message,
            "found '1KiB', expected a size from 1MiB to 1TiB, such as 8MiB");
  EXPECT_EQ(set_value(*find_key("clock.step"), "10", config).error().message, "found '10', expected a duration from 100ms to 1h, such as 10s");
  EXPECT_EQ(set_value(*find_key("clock.follow_wall_clock"), "yes", config).error().message, "found 'yes', expected true or false");
  EXPECT_EQ(set_value(*find_key("log.format"), "jsno", config).error().message, "found 'jsno', expected one of text, json; did you mean 'json'?");
  EXPECT_EQ(set_value(*find_key("kafka.input"), "", config).error().message,
            "found nothing, expected a name of up to 249 letters, digits, dots, underscores and dashes");
  EXPECT_EQ(config, Config{}) << "a value that is refused changes nothing";
}

TEST(KeyTable, NamesAreSafeAsTopicsAndAsPartsOfAPath) {
  Config config;
  const Key& application = *find_key("application");
  for (const std::string& good : {std::string("shop"), std::string("Shop-1.eu_west"), std::string(249, 'a')})
    EXPECT_TRUE(set_value(application, good, config));
  for (const std::string& bad :
       {std::string(".."), std::string("."), std::string("a/b"), std::string("a b"), std::string("女装"), std::string(250, 'a')})
    EXPECT_FALSE(set_value(application, bad, config)) << bad;
}

TEST(KeyTable, TextHasNoControlCharacters) {
  Config config;
  EXPECT_TRUE(set_value(*find_key("state.directory"), "/数据/my state", config));
  EXPECT_FALSE(set_value(*find_key("state.directory"), "/data\n", config));
  EXPECT_EQ(set_value(*find_key("state.directory"), "/data\x1b[2J", config).error().message, "found '/data?[2J', expected text on one line");
}

TEST(KeyTable, ASecretIsNotPartOfAMessage) {
  Config config;
  const auto set = set_value(*find_key("kafka.security.password"), "5ecret\n", config);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().message.find("5ecret"), std::string::npos);
}

TEST(KeyTable, AnEmptyValueIsRightWhereItMeansSomething) {
  Config config;
  EXPECT_TRUE(set_value(*find_key("http.listen"), "", config));
  EXPECT_EQ(config.http.listen, "");
  EXPECT_FALSE(set_value(*find_key("kafka.brokers"), "", config));
  EXPECT_FALSE(set_value(*find_key("log.level"), "", config));
}

TEST(KeyTable, SectionsAreThoseThatHaveKeys) {
  EXPECT_TRUE(is_section("kafka"));
  EXPECT_TRUE(is_section("kafka.security"));
  EXPECT_FALSE(is_section("kafk"));
  EXPECT_FALSE(is_section(""));
  EXPECT_EQ(section_of("kafka.security.protocol"), "kafka.security");
  EXPECT_EQ(name_of("kafka.security.protocol"), "protocol");
  EXPECT_EQ(section_of("standby"), "");
  EXPECT_EQ(find_key("kafka"), nullptr);
}

TEST(KeyTable, NearestIsTheCandidateThatWasMeant) {
  const std::vector<std::string_view> candidates = {"brokers", "input", "journal"};
  EXPECT_EQ(nearest("broker", candidates), "brokers");
  EXPECT_EQ(nearest("jurnal", candidates), "journal");
  EXPECT_EQ(nearest("topic", candidates), "");
  EXPECT_EQ(nearest("", candidates), "");
}

}  // namespace
}  // namespace segue::config
