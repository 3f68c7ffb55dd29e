// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"

namespace segue::config {

// What a configuration depends on besides its file.
struct Environment {
  std::map<std::string, std::string> variables;
  std::string host_name;

  static Environment of_process();
};

struct Mistake {
  std::string place;    // "segue.yaml:3:5", or "SEGUE_KAFKA_BROKERS" for a variable of the environment
  std::string message;  // never the value of a secret
};
// One a line, in the form that editors and terminals jump to: "segue.yaml:3:5: unknown key ...".
std::string to_text(const std::vector<Mistake>& mistakes);

// What a configuration is for: which keys must have a value.
enum class Purpose : uint8_t {
  kEngine,    // segue engine
  kEmbedded,  // segue up: no broker, and the state's directory is an argument
  kClient,    // segue collector, segue api: a broker, and no state
};

// The configuration of a YAML text and the environment, or every mistake in them (up to 50), those of the file first. `file` names the text in the
// places. Reads no other file: where a secret is in a file, its value stays empty.
tl::expected<Config, std::vector<Mistake>> parse(std::string_view text, std::string_view file, const Environment& environment,
                                                 Purpose purpose = Purpose::kEngine);

// The same, with the secrets read from their files, and the other files of kafka.security known to be readable.
tl::expected<Config, std::vector<Mistake>> load(std::string_view text, std::string_view file, const Environment& environment,
                                                Purpose purpose = Purpose::kEngine);

// True when the text is meant to be a configuration, right or wrong; definitions are not.
bool looks_like_configuration(std::string_view text);

// One effective value, as it may be shown: passwords, and the values of properties that may be secrets, are "<hidden>".
struct Setting {
  std::string path;
  std::string text;
  bool is_default = false;
};
// Every key of the table in its order; of a mapping each property that is set, as "kafka.producer.linger.ms".
std::vector<Setting> settings(const Config& config);
// The same as YAML, for logs and people.
std::string to_yaml(const Config& config);

}  // namespace segue::config
