// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/definitions.h"

#include "lib/base/assert.h"
#include "lib/segment/definitions_parser.h"
#include "lib/segment/evaluate.h"
#include "lib/segment/step.h"

namespace segue::segment {

std::string to_string(const std::vector<DefinitionError>& errors) {
  std::string out;
  for (const DefinitionError& error : errors)
    out += error.file + ':' + std::to_string(error.line) + ':' + std::to_string(error.column) + ": " + error.message + '\n';
  return out;
}

tl::expected<Definitions, std::vector<DefinitionError>> Definitions::parse(std::string_view yaml, std::string_view file_name) {
  DefinitionsParser parser(yaml, file_name);
  auto compiled = parser.parse();
  if (compiled == nullptr) return tl::unexpected(parser.take_errors());
  return Definitions(std::move(compiled));
}

const std::string& Definitions::hash() const { return compiled_->hash; }
const std::string& Definitions::text() const { return compiled_->text; }
const std::string& Definitions::time_zone() const { return compiled_->calendar.zone(); }
const std::string& Definitions::canonical() const { return compiled_->canonical; }
const profile::Plan& Definitions::plan() const { return compiled_->plan; }
const std::vector<std::string>& Definitions::stages() const { return compiled_->stages; }
const std::string& Definitions::stage_name(size_t stage) const { return compiled_->stages.at(stage); }
const std::vector<Definition>& Definitions::definitions() const { return compiled_->definitions; }
const Definition& Definitions::definition(size_t index) const { return compiled_->definitions.at(index); }
const std::vector<Move>& Definitions::moves() const { return compiled_->moves; }
const Move& Definitions::move(size_t index) const { return compiled_->moves.at(index); }

std::vector<std::string> Definitions::compared_names(bool is_move, size_t index) const {
  std::vector<std::string> names;
  for (const uint32_t leaf : leaves_of(*compiled_, is_move ? move(index).when.root : definition(index).when.root)) {
    if (names.size() == profile::kMaxCompared) break;
    names.push_back(compiled_->leaves.at(leaf).left);
  }
  return names;
}

std::vector<ComparedUnit> Definitions::compared_units(bool is_move, size_t index) const {
  std::vector<ComparedUnit> units;
  for (const uint32_t leaf : leaves_of(*compiled_, is_move ? move(index).when.root : definition(index).when.root)) {
    if (units.size() == profile::kMaxCompared) break;
    units.push_back(compiled_->leaves.at(leaf).unit);
  }
  return units;
}

std::vector<std::string> Definitions::tags(const profile::Profile& profile) const {
  std::vector<std::string> tags;
  for (size_t i = 0; i < compiled_->definitions.size(); ++i) {
    const Definition& definition = compiled_->definitions[i];
    if (definition.kind == DefinitionKind::kTag && profile.members[i]) tags.push_back(definition.name);
    if (definition.kind != DefinitionKind::kTopTags) continue;
    for (const profile::KeyedMember& member : profile.keyed_members)
      if (member.definition == i) tags.push_back(definition.prefix + member.key + definition.suffix);
  }
  return tags;
}

void Definitions::on_event(profile::Profile& profile, const event::Event& event, Time clock, std::vector<Change>& out) const {
  SEGUE_ASSERT(profile.stage < compiled_->stages.size());
  Step(*compiled_, profile, clock, &event, profile::Cause::kEvent, out).run();
}

void Definitions::on_deadline(profile::Profile& profile, Time deadline, std::vector<Change>& out) const {
  SEGUE_ASSERT(profile.stage < compiled_->stages.size());
  Step(*compiled_, profile, deadline, nullptr, profile::Cause::kTimer, out).run();
}

void Definitions::on_activation(profile::Profile& profile, Time clock, std::vector<Change>& out) const {
  SEGUE_ASSERT(profile.stage < compiled_->stages.size());
  Step(*compiled_, profile, clock, nullptr, profile::Cause::kDefinitions, out).run();
}

std::vector<Explanation> Definitions::explain(const profile::Profile& profile, Time now) const { return segment::explain(*compiled_, profile, now); }

}  // namespace segue::segment
