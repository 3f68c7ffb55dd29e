// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/config/key_table.h"
#include "lib/config/load.h"
#include "lib/config/yaml_entries.h"

namespace segue::config {

// Reads one configuration, step by step; mistakes are remembered with their places and reading goes on, so that one run shows all of them.
class ConfigReader {
 public:
  ConfigReader(std::string_view file, const Environment& environment, Purpose purpose) : file_(file), environment_(environment), purpose_(purpose) {}

  void read_file(std::string_view text);
  void read_environment();
  // Fills in what depends on other keys, and checks what several keys say together.
  void complete();
  // Puts the content of secrets' files in their places.
  void read_secrets();

  tl::expected<Config, std::vector<Mistake>> finish() &&;

 private:
  // Where a key got its value, or was to get it: a place in the file, or a variable.
  struct Source {
    TextPlace at;
    std::string variable;
  };
  struct Finding {
    Source source;
    std::string message;
  };

  void read_entry(const YamlEntry& entry);
  void read_value(const Key& key, const YamlEntry& entry);
  void read_property(const YamlEntry& entry);
  void unknown_key(const YamlEntry& entry);
  void unknown_variable(const std::string& name, const std::string& value);

  void require_values();
  void require_distinct_topics();
  void check_security();
  void check_login();
  void check_certificates();
  void check_readable(std::string_view path, const std::string& file);
  void read_secret(std::string_view file_path, const std::string& file, std::string& value);

  Source source_of(std::string_view path) const;
  void wrong(Source source, std::string message);
  // About a key whose value cannot stand beside others.
  void wrong_together(std::string_view path, std::string message);

  const std::string file_;
  const Environment& environment_;
  const Purpose purpose_;
  Config config_;
  std::map<std::string, Source, std::less<>> sources_;  // of the keys and sections that are given
  std::set<std::string, std::less<>> mistaken_;         // keys whose value is a mistake already
  std::vector<Finding> findings_;
};

}  // namespace segue::config
