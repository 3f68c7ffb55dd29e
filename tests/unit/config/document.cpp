// SPDX-License-Identifier: Apache-2.0
#include "lib/config/document.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "lib/config/key_table.h"
#include "lib/config/load.h"

namespace segue::config {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Document, IsUpToDate) {
  const std::string wanted = configuration_as_markdown();
  const std::string path = SEGUE_SOURCE_DIR "/docs/configuration.md";
  if (std::getenv("SEGUE_UPDATE_DOCS") != nullptr) std::ofstream(path) << wanted;
  EXPECT_EQ(read(path), wanted) << "docs/configuration.md is stale: run this test with SEGUE_UPDATE_DOCS=1";
}

TEST(Document, NamesEveryKey) {
  const std::string document = configuration_as_markdown();
  for (const Key& key : key_table()) EXPECT_NE(document.find("| `" + std::string(key.path) + "` |"), std::string::npos) << key.path;
}

TEST(Example, IsRightAsItStandsAndNamesEveryKey) {
  const std::string text = read(SEGUE_SOURCE_DIR "/examples/segue.yaml");
  const auto config = parse(text, "segue.yaml", {{}, "host"});
  ASSERT_TRUE(config) << to_text(config.error());
  EXPECT_TRUE(looks_like_configuration(text));
  for (const Key& key : key_table()) EXPECT_NE(text.find(std::string(name_of(key.path)) + ":"), std::string::npos) << key.path;
}

// What stands behind a single # is a key with its default.
TEST(Example, ShowsTheDefaults) {
  std::istringstream lines(read(SEGUE_SOURCE_DIR "/examples/segue.yaml"));
  std::string whole;
  size_t shown = 0;
  for (std::string line; std::getline(lines, line);) {
    const size_t start = line.find_first_not_of(' ');
    const bool is_default = start != std::string::npos && line[start] == '#' && line.size() > start + 1 && line[start + 1] != ' ';
    if (is_default) line.erase(start, 1);
    shown += is_default ? 1 : 0;
    whole += line + "\n";
  }
  const auto config = parse(whole, "segue.yaml", {{}, "host"});
  ASSERT_TRUE(config) << to_text(config.error());
  const auto without = parse(read(SEGUE_SOURCE_DIR "/examples/segue.yaml"), "segue.yaml", {{}, "host"});
  EXPECT_EQ(*config, *without);
  EXPECT_GT(shown, 25u);
}

}  // namespace
}  // namespace segue::config
