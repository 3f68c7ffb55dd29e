// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/json_writer.h"
#include "lib/config/load.h"
#include "lib/filelog/posix_file_system.h"
#include "lib/serving/definitions_json.h"
#include "services/segue/commands.h"
#include "services/segue/configuration_check.h"
#include "services/segue/console.h"
#include "services/segue/definitions_file.h"
#include "services/tools/display.h"
#include "services/tools/table.h"
#include "services/tools/terminal.h"

namespace segue::program {
namespace {

using segment::Definition;
using segment::DefinitionKind;
using segment::Definitions;
using tools::printable;
using Align = tools::Table::Align;

std::string kind_text(const Definition& definition) {
  static constexpr std::array<const char*, 4> kScopes = {"user", "category", "brand", "item"};
  const std::string scope = kScopes[static_cast<size_t>(definition.scope)];
  switch (definition.kind) {
    case DefinitionKind::kSegment:
      return "segment";
    case DefinitionKind::kKeyedSegment:
      return "segment for each " + scope;
    case DefinitionKind::kTag:
      return "tag";
    case DefinitionKind::kTopTags:
      return "tags, top " + std::to_string(definition.top) + " of " + scope;
  }
  return {};
}

std::string move_trigger(const segment::Move& move) {
  std::string out;
  for (size_t i = 0; i < event::kEventTypes; ++i)
    if ((move.on >> i & 1) != 0) out += (out.empty() ? "on " : " or ") + std::string(event::kEventTypeNames[i]);
  if (!move.when.text.empty()) out += (out.empty() ? "when " : ", when ") + printable(move.when.text);
  return out;
}

std::string summary_text(const Definitions& definitions, const std::string& name, const tools::Terminal& terminal) {
  std::string stages;
  for (const auto& stage : definitions.stages()) stages += (stages.empty() ? "" : " · ") + printable(stage);
  std::string out = terminal.paint.good("✓") + " " + printable(name) + " is right\n\n";
  tools::Table head({Align::kLeft, Align::kLeft});
  head.row({"hash", definitions.hash()});
  head.row({"time zone", definitions.time_zone()});
  head.row({"stages", stages});
  out += head.text(terminal);
  tools::Table moves({Align::kLeft, Align::kLeft, Align::kLeft});
  for (const auto& move : definitions.moves())
    moves.row({printable(definitions.stage_name(move.from)) + " → " + printable(definitions.stage_name(move.to)), printable(move.name),
               move_trigger(move)});
  if (!moves.empty()) out += "\n" + terminal.paint.strong("Moves") + "\n" + moves.text(terminal);
  tools::Table rest({Align::kLeft, Align::kLeft, Align::kLeft});
  for (const auto& definition : definitions.definitions())
    rest.row({printable(definition.name), kind_text(definition), printable(definition.when.text)});
  if (!rest.empty()) out += "\n" + terminal.paint.strong("Segments and tags") + "\n" + rest.text(terminal);
  return out;
}

std::string summary_json(const Definitions& definitions, const std::string& name) {
  std::string out;
  codec::JsonWriter json(out);
  json.begin_object();
  json.name("file"), json.string(printable(name));
  json.name("hash"), json.string(definitions.hash());
  json.name("time_zone"), json.string(definitions.time_zone());
  serving::write_definitions(json, definitions);
  json.end_object();
  return out + "\n";
}

// An unreadable file is none: reading the definitions will say why.
bool is_configuration(const std::string& path) {
  filelog::PosixFileSystem files;
  const auto text = filelog::read_file(files, path);
  return text && config::looks_like_configuration(*text);
}

}  // namespace

int run_check(const CheckCommand& command) {
  if (!command.config.empty()) return check_configuration(command.config, command);
  if (!command.file.empty() && is_configuration(command.file)) return check_configuration(command.file, command);
  std::shared_ptr<const Definitions> definitions;
  if (command.file.empty()) {
    definitions = built_in_definitions();
  } else {
    auto loaded = load_definitions(command.file);
    if (!loaded) return loaded.error();
    definitions = std::move(*loaded);
  }
  const std::string name = command.file.empty() ? "the built-in definition set" : command.file;
  if (command.print) {
    print(definitions->text());
  } else {
    print(command.json ? summary_json(*definitions, name) : summary_text(*definitions, name, tools::find_terminal(1)));
  }
  return kOk;
}

}  // namespace segue::program
