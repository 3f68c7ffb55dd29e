// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/definitions_json.h"

#include <array>

namespace segue::serving {
namespace {

using codec::JsonWriter;
using segment::DefinitionKind;

bool is_tag(const segment::Definition& definition) { return definition.kind == DefinitionKind::kTag || definition.kind == DefinitionKind::kTopTags; }

std::string_view scope_word(profile::Scope scope) {
  static constexpr std::array<std::string_view, 4> kWords = {"", "category", "brand", "item"};
  return kWords[static_cast<size_t>(scope)];
}

void write_definition(JsonWriter& json, const segment::Definition& definition) {
  json.begin_object();
  json.name("name"), json.string(definition.name);
  if (definition.kind != DefinitionKind::kTopTags) json.name("when"), json.string(definition.when.text);
  if (definition.kind == DefinitionKind::kTopTags) json.name("top"), json.unsigned_integer(definition.top);
  if (definition.scope != profile::Scope::kUser) json.name("keyed_by"), json.string(scope_word(definition.scope));
  json.name("announce"), json.boolean(definition.announce);
  json.end_object();
}

}  // namespace

void write_event_types(JsonWriter& json, uint32_t types) {
  json.begin_array();
  for (size_t i = 0; i < event::kEventTypes; ++i)
    if ((types >> i & 1) != 0) json.string(event::kEventTypeNames[i]);
  json.end_array();
}

void write_definitions(JsonWriter& json, const segment::Definitions& definitions) {
  json.name("stages"), json.begin_array();
  for (const auto& stage : definitions.stages()) json.string(stage);
  json.end_array();
  json.name("moves"), json.begin_array();
  for (const auto& move : definitions.moves()) {
    json.begin_object();
    json.name("name"), json.string(move.name);
    json.name("from"), json.string(definitions.stage_name(move.from));
    json.name("to"), json.string(definitions.stage_name(move.to));
    json.name("on"), write_event_types(json, move.on);
    json.name("when"), json.string(move.when.text);
    json.name("announce"), json.boolean(move.announce);
    json.end_object();
  }
  json.end_array();
  for (const bool tags : {false, true}) {
    json.name(tags ? "tags" : "segments"), json.begin_array();
    for (const auto& definition : definitions.definitions())
      if (is_tag(definition) == tags) write_definition(json, definition);
    json.end_array();
  }
}

}  // namespace segue::serving
