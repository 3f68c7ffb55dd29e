// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/segment/compiler.h"
#include "lib/segment/program.h"
#include "lib/segment/yaml_source.h"

namespace segue::segment {

// Reads one definitions file into its compiled form. One use.
class DefinitionsParser {
 public:
  DefinitionsParser(std::string_view text, std::string_view file);

  // Null when there are mistakes: take_errors() has them.
  std::shared_ptr<const Compiled> parse();
  std::vector<DefinitionError> take_errors() { return source_.take_errors(); }

 private:
  void read_settings(const YAML::Node& node);
  void read_weights(const YAML::Node& node);
  void read_remember(const YAML::Node& node);
  void read_timezone(const YAML::Node& node);
  void read_traits(const YAML::Node& node);
  void read_trait(const YAML::Node& name, const YAML::Node& value);
  void check_traits();
  void read_stages(const YAML::Node& node);
  void read_moves(const YAML::Node& node, bool announce);
  void read_move(const YAML::Node& node, bool announce);
  std::vector<uint8_t> read_origins(const YAML::Node& node);
  std::optional<uint8_t> read_stage(const YAML::Node& node);
  uint32_t read_event_types(const YAML::Node& node);
  void read_segment(const YAML::Node& node);
  void read_tag(const YAML::Node& node);
  void read_top(const YAML::Node& node, Definition& definition);
  void read_reentry(const YAML::Node& node, Definition& definition);
  Condition read_condition(const YAML::Node& node, const Setting& setting);
  void add_definition(const YAML::Node& place, Definition definition);
  void add_move(const YAML::Node& place, Move move);
  void check_keys_remembered(const YAML::Node& place, const Definition& definition);
  void check_ids(std::vector<uint64_t> ids, std::string_view what);
  void finish();

  YamlSource source_;
  std::shared_ptr<Compiled> compiled_ = std::make_shared<Compiled>();
  Compiler compiler_{*compiled_};
  NamedTraits traits_;
  std::vector<std::pair<YAML::Node, Syntax>> trait_nodes_;
  size_t keyed_members_ = 0;  // the most that one user can have
};

// The parsed content in one form.
std::string print_canonical(const Compiled& compiled);

}  // namespace segue::segment
