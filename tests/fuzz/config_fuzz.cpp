// SPDX-License-Identifier: Apache-2.0
// Any bytes are either a configuration or a list of mistakes with places inside the file. What is behind a byte 1 are variables of the environment,
// one a line. What parses is written and read again as the same.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/assert.h"
#include "lib/config/load.h"

namespace {

using namespace segue;

config::Environment environment_of(std::string_view lines) {
  config::Environment environment{{}, "host"};
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    const size_t equals = std::min(line.find('='), line.size());
    environment.variables.emplace("SEGUE_" + std::string(line.substr(0, equals)), line.substr(std::min(equals + 1, line.size())));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
  }
  return environment;
}

void check_mistakes(const std::vector<config::Mistake>& mistakes, std::string_view text) {
  constexpr std::string_view kFile = "fuzz.yaml:";
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  SEGUE_ASSERT(!mistakes.empty() && mistakes.size() <= 50);
  for (const auto& mistake : mistakes) {
    SEGUE_ASSERT(!mistake.message.empty());
    for (const char c : mistake.message) SEGUE_ASSERT(static_cast<unsigned char>(c) >= 0x20);
    if (mistake.place.starts_with("SEGUE_")) continue;
    SEGUE_ASSERT(mistake.place.starts_with(kFile));
    int line = 0;
    std::from_chars(mistake.place.data() + kFile.size(), mistake.place.data() + mistake.place.size(), line);
    SEGUE_ASSERT(line >= 1 && line <= lines);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view text = input.substr(0, input.find('\x01'));
  const auto environment = environment_of(input.substr(std::min(text.size() + 1, input.size())));
  (void)config::looks_like_configuration(text);
  const auto parsed = config::parse(text, "fuzz.yaml", environment);
  if (!parsed) {
    check_mistakes(parsed.error(), text);
    return 0;
  }
  // Passwords are hidden in the text, so texts are compared.
  const std::string written = config::to_yaml(*parsed);
  const auto again = config::parse(written, "again.yaml", {{}, "other"});
  SEGUE_ASSERT(again.has_value() && config::to_yaml(*again) == written);
  return 0;
}
