// SPDX-License-Identifier: Apache-2.0
#include "lib/config/document.h"

#include "lib/config/key_table.h"
#include "lib/config/property_rules.h"

namespace segue::config {
namespace {

constexpr std::string_view kHead = R"(# Configuration

`segue engine --config segue.yaml` reads one YAML file. `segue check segue.yaml` says what is wrong with it, or what is in force.
`examples/segue.yaml` is a start. Generated from lib/config by its unit test (run it with SEGUE_UPDATE_DOCS=1); do not edit.

    state:
      directory: /var/lib/segue
    kafka:
      brokers: kafka-1:9092,kafka-2:9092

- Only `state.directory` and `kafka.brokers` have no default. `segue up` needs neither of them, nor a file: the keys of `kafka` and `snapshots`,
  `state.directory`, `standby` and `clock.future_bound` (always 5 minutes there) mean nothing to it.
- An unknown key, a key given twice, and a value out of its bounds are mistakes: the
  program says all of them, each with its line and column, and does not start (exit code 78).
- Durations are `250ms`, `10s`, `5m`, `1h`, `7d`, whole numbers with one unit. Sizes are bytes, or `64KiB`, `8MiB`, `1GiB`.
- Paths are as seen from the directory in which the program is started.

## Environment

Every value but the mappings can come from the environment instead: `SEGUE_` and the path in capitals, with underscores for dots, such as
`SEGUE_KAFKA_BROKERS` for `kafka.brokers`. The environment goes before the file, an empty variable too.

A variable that begins with `SEGUE_` and a section (`SEGUE_KAFKA_`), or that is nearly one of the variables here, and is none of them, is a mistake
as an unknown key is. Other variables are not looked at; neither are those that Kubernetes sets for services (`SEGUE_KAFKA_SERVICE_HOST`,
`SEGUE_KAFKA_PORT=tcp://...`).

## Secrets

A password belongs into a file that only the program can read: `kafka.security.password_file`. One line end behind it is cut off. Passwords are never
in a message, a log line or what `segue check` prints; nor is the value of a property with password, secret, token, pem or the like in its name.

)";

constexpr std::string_view kAboutProperties = R"(## Logging in with SCRAM

Brokers of Kafka 4 refuse SCRAM from librdkafka before 2.6.1, which sends a nonce twice; Debian 12 has 2.0.2. There, log in with PLAIN over TLS
(`sasl_ssl`), a certificate (`ssl`), GSSAPI or OAUTHBEARER, or build with a newer librdkafka. `segue check` and the start of the engine warn of it.

## Properties of librdkafka

`kafka.properties` is for all clients, `kafka.consumer` and `kafka.producer` for one kind and before it. Any property of the librdkafka in use can
stand there:

    kafka:
      properties:
        client.rack: eu-1
      consumer:
        fetch.message.max.bytes: 4194304

Not these: with another value the engine would not be exactly once any more, or they have a key of their own.

| property | refused because |
|---|---|
)";

std::string type_text(const Key& key) {
  switch (key.kind) {
    case ValueKind::kText:
      return "text";
    case ValueKind::kName:
      return "name";
    case ValueKind::kSecret:
      return "text, secret";
    case ValueKind::kChoice: {
      std::string out = "`";
      for (const char c : key.choices) out.append(c == ',' ? "`, `" : std::string(1, c));
      return out + "`";
    }
    case ValueKind::kBoolean:
      return "`true`, `false`";
    case ValueKind::kCount:
    case ValueKind::kSize:
    case ValueKind::kDuration: {
      // Without the article and the example of "a duration from 10ms to 10m, such as 10s".
      const std::string expected = expected_value(key);
      return expected.substr(2, expected.find(", such") - 2);
    }
    case ValueKind::kProperties:
    case ValueKind::kMapping:
      return "mapping";
  }
  return {};
}

std::string default_text(const Key& key) {
  if (is_mapping(key.kind)) return "none";
  const std::string value = value_text(key, Config{});
  if (!value.empty()) return "`" + value + "`";
  return key.required ? "**required**" : std::string(key.fallback);
}

std::string title_of(std::string_view section) { return section.empty() ? "The application" : "`" + std::string(section) + "`"; }

}  // namespace

std::string configuration_as_markdown() {
  std::string out(kHead);
  out += "## Keys\n\nWhere a value may be empty, the words under \"default\" say what that means.\n";
  std::string_view open = "none";
  for (const Key& key : key_table()) {
    if (const auto section = section_of(key.path); section != open) {
      out.append("\n### ").append(title_of(section)).append("\n\n| key | value | default | |\n|---|---|---|---|\n");
      open = section;
    }
    out.append("| `").append(key.path).append("` | ").append(type_text(key)).append(" | ").append(default_text(key)).append(" | ");
    out.append(key.help).append(" |\n");
  }
  out.append("\nA name has up to 249 letters, digits, dots, underscores and dashes. The four topics must be different ones.\n\n");
  out.append(kAboutProperties);
  for (const RefusedProperty& refused : refused_properties())
    out.append("| `").append(refused.name).append("` | ").append(refused.reason).append(" |\n");
  return out;
}

}  // namespace segue::config
