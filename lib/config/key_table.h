// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "lib/base/result.h"
#include "lib/config/config.h"

namespace segue::config {

enum class ValueKind : uint8_t {
  kText,        // without control characters
  kName,        // letters, digits, dot, underscore and dash, as Kafka allows for topics
  kSecret,      // text that is never shown
  kChoice,      // one word of a list
  kBoolean,     // true or false
  kCount,       // a whole number
  kSize,        // bytes: 65536, 64KiB, 8MiB, 1GiB
  kDuration,    // 250ms, 10s, 5m, 1h, 7d
  kProperties,  // a mapping of librdkafka's properties
  kMapping,     // a mapping of names that others chose to words
};

inline bool is_mapping(ValueKind kind) { return kind == ValueKind::kProperties || kind == ValueKind::kMapping; }

using TextField = std::string& (*)(Config&);
using NumberField = uint64_t& (*)(Config&);
using DurationField = Duration& (*)(Config&);
using BooleanField = bool& (*)(Config&);
using PropertiesField = Properties& (*)(Config&);
using Field = std::variant<TextField, NumberField, DurationField, BooleanField, PropertiesField>;

// One key of segue.yaml. Its default is the value that a fresh Config has in the field.
struct Key {
  std::string_view path;  // "kafka.brokers"
  ValueKind kind = ValueKind::kText;
  Field field;
  uint64_t low = 0;  // bounds of a number, in bytes or milliseconds where it has these units
  uint64_t high = 0;
  std::string_view choices;   // separated by commas
  bool required = false;      // not empty
  std::string_view fallback;  // says what an empty value becomes
  std::string_view help;      // a sentence or two
};

// Every key, in the order of the document. The one place that names them: parser, environment, docs/configuration.md and tests follow.
std::span<const Key> key_table();
const Key* find_key(std::string_view path);
// "kafka" and "kafka.security" are sections.
bool is_section(std::string_view path);
// SEGUE_KAFKA_BROKERS.
std::string variable_name(const Key& key);
// "" for a key of the top level, "kafka.security" for kafka.security.protocol.
std::string_view section_of(std::string_view path);
std::string_view name_of(std::string_view path);

// Reads the text of a scalar into the key's field. kUsage says what was expected; a secret's text is not repeated.
Result<> set_value(const Key& key, std::string_view text, Config& config);
// The value as set_value takes it. Not for mappings.
std::string value_text(const Key& key, const Config& config);
// What set_value accepts, in words: "a size from 1MiB to 1TiB, such as 8MiB".
std::string expected_value(const Key& key);

// The candidate that `word` was probably meant to be; empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace segue::config
