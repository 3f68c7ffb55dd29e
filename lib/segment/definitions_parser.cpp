// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/definitions_parser.h"

#include <algorithm>
#include <charconv>

#include "lib/base/hash.h"
#include "lib/segment/lexer.h"
#include "lib/segment/step.h"

namespace segue::segment {
namespace {

using profile::Scope;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr double kMaxWeight = 1e6;
constexpr size_t kMaxMoves = 1024;
constexpr size_t kMaxTraitsOfFile = 256;

std::string_view scope_name(Scope scope) {
  constexpr std::array<std::string_view, 4> kNames = {"user", "category", "brand", "item"};
  return kNames[static_cast<size_t>(scope)];
}

std::string definition_key(const Definition& definition) {
  switch (definition.kind) {
    case DefinitionKind::kSegment:
      return "segment " + definition.name;
    case DefinitionKind::kKeyedSegment:
      return "segment for " + std::string(scope_name(definition.scope)) + ' ' + definition.name;
    case DefinitionKind::kTag:
      return "tag " + definition.name;
    case DefinitionKind::kTopTags:
      return "top " + std::string(scope_name(definition.scope)) + ' ' + definition.name;
  }
  return {};
}

}  // namespace

DefinitionsParser::DefinitionsParser(std::string_view text, std::string_view file)
    : source_(text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text, file) {
  compiled_->text = text;
}

std::shared_ptr<const Compiled> DefinitionsParser::parse() {
  const auto root = source_.load();
  if (!root) return nullptr;
  const auto top = source_.entries(*root, "the file", {"version", "timezone", "settings", "traits", "lifecycle", "segments", "tags"});
  if (!source_.ok() && top.empty()) return nullptr;
  const auto version = YamlSource::find(top, "version");
  if (!version)
    source_.wrong(*root, "there is no 'version: 1'");
  else if (!version->IsScalar() || version->Scalar() != "1")
    source_.wrong(*version, "this program reads version 1 of the language");
  if (const auto node = YamlSource::find(top, "timezone")) read_timezone(*node);
  if (const auto node = YamlSource::find(top, "settings")) read_settings(*node);
  if (const auto node = YamlSource::find(top, "traits")) read_traits(*node);
  // Stages first: conditions anywhere may name them.
  YamlSource::Entries lifecycle;
  if (const auto node = YamlSource::find(top, "lifecycle")) lifecycle = source_.entries(*node, "the lifecycle", {"stages", "moves", "announce"});
  const auto stages = YamlSource::find(lifecycle, "stages");
  const auto whole = YamlSource::find(top, "lifecycle");
  if (stages) read_stages(*stages);
  if (!stages && whole && whole->IsMap()) source_.wrong(*whole, "the lifecycle has no 'stages'");
  // Every user is in a stage: without a lifecycle in the only one there is.
  if (compiled_->stages.empty()) compiled_->stages.emplace_back("all");
  const auto announce = YamlSource::find(lifecycle, "announce");
  // Where the stages could not be read, every move would be one of a stage that is not there.
  const auto moves = YamlSource::find(lifecycle, "moves");
  if (moves && (!moves->IsSequence() || (stages && stages->IsSequence())))
    read_moves(*moves, announce ? source_.boolean(*announce).value_or(true) : true);
  if (const auto node = YamlSource::find(top, "segments"))
    for (const YAML::Node& item : source_.items(*node, "a list of segments")) read_segment(item);
  if (const auto node = YamlSource::find(top, "tags"))
    for (const YAML::Node& item : source_.items(*node, "a list of tags")) read_tag(item);
  if (source_.ok()) check_traits();
  if (!source_.ok()) return nullptr;
  finish();
  return source_.ok() ? compiled_ : nullptr;
}

void DefinitionsParser::read_timezone(const YAML::Node& node) {
  const auto name = source_.name(node, "a time zone such as Asia/Shanghai");
  if (!name) return;
  auto calendar = LocalCalendar::load(*name);
  if (!calendar) return source_.wrong(node, "found '" + *name + "', expected the IANA name of a time zone, such as Asia/Shanghai or Europe/Berlin");
  compiled_->calendar = std::move(*calendar);
}

void DefinitionsParser::read_settings(const YAML::Node& node) {
  profile::Plan& plan = compiled_->plan;
  const auto settings = source_.entries(node, "settings", {"half_life", "lateness", "weights", "remember"});
  if (const auto value = YamlSource::find(settings, "half_life"))
    plan.half_life = source_.duration(*value, std::chrono::hours{1}, std::chrono::days{3650}).value_or(plan.half_life);
  if (const auto value = YamlSource::find(settings, "lateness"))
    plan.lateness = source_.duration(*value, Duration{0}, std::chrono::days{30}).value_or(plan.lateness);
  if (const auto value = YamlSource::find(settings, "weights")) read_weights(*value);
  if (const auto value = YamlSource::find(settings, "remember")) read_remember(*value);
}

void DefinitionsParser::read_weights(const YAML::Node& node) {
  compiled_->plan.weights = {};
  for (const auto& [key, value] : source_.entries(node, "weights", {})) {
    const auto type = event::find_event_type(key.Scalar());
    if (!type || *type == event::EventType::kDelete) {
      const std::vector<std::string_view> names(event::kEventTypeNames.begin(), event::kEventTypeNames.end() - 1);
      const std::string_view near = closest(key.Scalar(), names);
      source_.wrong(key,
                    "found '" + key.Scalar() + "', expected an event type" + (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?"));
      continue;
    }
    compiled_->plan.weights[event::index(*type)] = source_.number(value, 0, kMaxWeight).value_or(0);
  }
}

void DefinitionsParser::read_remember(const YAML::Node& node) {
  for (const auto& [key, value] : source_.entries(node, "remember", {"category", "brand", "item"})) {
    const auto count = source_.number(value, 0, kMaxKeys);
    if (count) compiled_->plan.interest_size[interest_index(*find_scope(key.Scalar()))] = static_cast<uint16_t>(*count);
  }
}

// ---- traits

void DefinitionsParser::read_traits(const YAML::Node& node) {
  for (const auto& [name, value] : source_.entries(node, "traits", {})) read_trait(name, value);
}

void DefinitionsParser::read_trait(const YAML::Node& name, const YAML::Node& value) {
  const auto tokens = tokenize(name.Scalar());
  const bool is_word = tokens && tokens->size() == 2 && (*tokens)[0].kind == TokenKind::kName && name.Scalar().find('.') == std::string::npos;
  if (!is_word) return source_.wrong(name, "found '" + name.Scalar() + "', expected one word of letters, digits and _ as the name of a trait");
  const auto& words = vocabulary();
  if (std::find(words.begin(), words.end(), name.Scalar()) != words.end())
    return source_.wrong(name, "'" + name.Scalar() + "' is a word of the language: call this trait something else");
  if (traits_.size() == kMaxTraitsOfFile) return source_.wrong(name, "a file may have 256 traits at most");
  const auto text = source_.scalar(value, "an expression such as spend / orders");
  if (!text) return;
  auto syntax = parse_expression(*text);
  if (syntax) syntax = expand(*syntax, traits_);
  if (!syntax) return source_.wrong_within(value, syntax.error().begin, syntax.error().message);
  trait_nodes_.emplace_back(value, *syntax);
  traits_.emplace(name.Scalar(), std::move(*syntax));
}

// A trait nobody uses may still be wrong. What one kind of condition may say, another may not: it only has to make sense somewhere.
void DefinitionsParser::check_traits() {
  Compiled scratch = *compiled_;
  Compiler compiler(scratch);
  for (const auto& [node, syntax] : trait_nodes_) {
    const auto error = compiler.check(syntax, {.event = true, .memberships = true});
    if (error && compiler.check(syntax, {.scope = Scope::kItem, .memberships = true})) source_.wrong_within(node, error->begin, error->message);
  }
}

// ---- lifecycle

void DefinitionsParser::read_stages(const YAML::Node& node) {
  for (const YAML::Node& item : source_.items(node, "a list of names, as in [new, buyer]")) {
    const auto name = source_.name(item, "the name of a stage");
    if (!name) continue;
    auto& stages = compiled_->stages;
    if (*name == "any")
      source_.wrong(item, "'any' stands for all stages and cannot be one");
    else if (std::find(stages.begin(), stages.end(), *name) != stages.end())
      source_.wrong(item, "the stage '" + *name + "' is given twice");
    else if (stages.size() == profile::kMaxStages)
      return source_.wrong(item, "a lifecycle has " + std::to_string(profile::kMaxStages) + " stages at most");
    else
      stages.push_back(*name);
  }
}

std::optional<uint8_t> DefinitionsParser::read_stage(const YAML::Node& node) {
  const auto name = source_.scalar(node, "the name of a stage");
  if (!name) return std::nullopt;
  const auto& stages = compiled_->stages;
  const auto found = std::find(stages.begin(), stages.end(), *name);
  if (found != stages.end()) return static_cast<uint8_t>(found - stages.begin());
  const std::string_view near = closest(*name, {stages.begin(), stages.end()});
  source_.wrong(node, "there is no stage '" + *name + "'" + (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?"));
  return std::nullopt;
}

std::vector<uint8_t> DefinitionsParser::read_origins(const YAML::Node& node) {
  std::vector<uint8_t> origins;
  if (node.IsScalar() && node.Scalar() == "any") {
    for (size_t i = 0; i < compiled_->stages.size(); ++i) origins.push_back(static_cast<uint8_t>(i));
    return origins;
  }
  for (const YAML::Node& item : source_.one_or_more(node, "a stage, a list of stages, or any")) {
    const auto stage = read_stage(item);
    if (!stage) continue;
    if (std::find(origins.begin(), origins.end(), *stage) != origins.end()) source_.wrong(item, "the stage '" + item.Scalar() + "' is given twice");
    origins.push_back(*stage);
  }
  return origins;
}

uint32_t DefinitionsParser::read_event_types(const YAML::Node& node) {
  uint32_t types = 0;
  const std::vector<std::string_view> names(event::kEventTypeNames.begin(), event::kEventTypeNames.end() - 1);
  for (const YAML::Node& item : source_.one_or_more(node, "an event type, or a list of them")) {
    const auto name = source_.scalar(item, "an event type such as purchase");
    const auto type = name ? event::find_event_type(*name) : std::nullopt;
    if (type && *type != event::EventType::kDelete)
      types |= bit(*type);
    else if (name && type)
      source_.wrong(item, "'delete' erases the user: nothing can follow on it");
    else if (name) {
      const std::string_view near = closest(*name, names);
      source_.wrong(item, "found '" + *name + "', expected an event type" +
                              (near.empty() ? " such as purchase" : "; did you mean '" + std::string(near) + "'?"));
    }
  }
  return types;
}

void DefinitionsParser::read_moves(const YAML::Node& node, bool announce) {
  for (const YAML::Node& item : source_.items(node, "a list of moves")) read_move(item, announce);
}

void DefinitionsParser::read_move(const YAML::Node& node, bool announce) {
  const auto keys = source_.entries(node, "a move", {"name", "from", "to", "on", "when", "announce"});
  if (!node.IsMap()) return;
  Move move{.announce = announce};
  const auto from = YamlSource::find(keys, "from");
  const auto to = YamlSource::find(keys, "to");
  const auto on = YamlSource::find(keys, "on");
  const auto when = YamlSource::find(keys, "when");
  if (!from || !to) return source_.wrong(node, "a move needs 'from' and 'to'");
  if (!on && !when) return source_.wrong(node, "a move needs 'on' (event types), 'when' (a condition) or both");
  if (const auto name = YamlSource::find(keys, "name")) move.name = source_.name(*name, "the name of a move").value_or("");
  if (const auto value = YamlSource::find(keys, "announce")) move.announce = source_.boolean(*value).value_or(true);
  if (on) move.on = read_event_types(*on);
  if (when) move.when = read_condition(*when, {.event = on.has_value()});
  const auto target = read_stage(*to);
  std::vector<uint8_t> origins = read_origins(*from);
  if (!target) return;
  const bool any = from->IsScalar() && from->Scalar() == "any";
  for (const uint8_t origin : origins) {
    if (origin == *target && any) continue;
    if (origin == *target) return source_.wrong(*to, "a move from '" + compiled_->stages[origin] + "' to itself");
    Move one = move;
    one.from = origin;
    one.to = *target;
    if (one.name.empty()) one.name = compiled_->stages[origin] + "-to-" + compiled_->stages[*target];
    add_move(node, std::move(one));
  }
}

void DefinitionsParser::add_move(const YAML::Node& place, Move move) {
  for (const Move& other : compiled_->moves)
    if (other.from == move.from && other.name == move.name)
      return source_.wrong(place, "there is already a move '" + move.name + "' from '" + compiled_->stages[move.from] + "': give it another name");
  if (compiled_->moves.size() == kMaxMoves) return source_.wrong(place, "a lifecycle has " + std::to_string(kMaxMoves) + " moves at most");
  compiled_->moves.push_back(std::move(move));
}

// ---- segments and tags

Condition DefinitionsParser::read_condition(const YAML::Node& node, const Setting& setting) {
  const auto text = source_.scalar(node, "a condition such as orders >= 2");
  if (!text) return {};
  auto syntax = parse_expression(*text);
  if (syntax) syntax = expand(*syntax, traits_);
  if (!syntax) return source_.wrong_within(node, syntax.error().begin, syntax.error().message), Condition{};
  auto condition = compiler_.compile(*syntax, *text, setting);
  if (condition) return std::move(*condition);
  source_.wrong_within(node, condition.error().begin, condition.error().message);
  return {};
}

void DefinitionsParser::read_segment(const YAML::Node& node) {
  const auto keys = source_.entries(node, "a segment", {"name", "for", "when", "announce", "reentry"});
  if (!node.IsMap()) return;
  Definition definition;
  const auto name = YamlSource::find(keys, "name");
  const auto when = YamlSource::find(keys, "when");
  if (!name || !when) return source_.wrong(node, "a segment needs 'name' and 'when'");
  definition.name = source_.name(*name, "the name of a segment").value_or("");
  if (const auto key = YamlSource::find(keys, "for")) {
    const auto scope = key->IsScalar() ? find_scope(key->Scalar()) : std::nullopt;
    if (!scope) return source_.wrong(*key, "expected category, brand or item");
    definition.kind = DefinitionKind::kKeyedSegment;
    definition.scope = *scope;
    check_keys_remembered(*key, definition);
  }
  if (const auto value = YamlSource::find(keys, "announce")) definition.announce = source_.boolean(*value).value_or(true);
  if (const auto value = YamlSource::find(keys, "reentry")) read_reentry(*value, definition);
  definition.when = read_condition(*when, {.scope = definition.scope, .memberships = true});
  add_definition(*name, std::move(definition));
}

void DefinitionsParser::read_reentry(const YAML::Node& node, Definition& definition) {
  constexpr std::string_view kAfter = "after ";
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  if (text == "always") return;
  if (definition.kind == DefinitionKind::kKeyedSegment)
    return source_.wrong(node, "a segment with 'for' can be entered again always: leave 'reentry' out");
  if (text == "once") {
    definition.reentry = Reentry::kOnce;
    return;
  }
  const auto after =
      text.starts_with(kAfter) ? parse_duration(text.substr(kAfter.size())) : tl::expected<Duration, TextError>(tl::unexpected(TextError{}));
  if (!after || after->count() == 0) return source_.wrong(node, "expected always, once, or after and a duration, as in 'after 30d'");
  definition.reentry = Reentry::kAfter;
  definition.reentry_after = *after;
}

void DefinitionsParser::read_tag(const YAML::Node& node) {
  const auto keys = source_.entries(node, "a tag", {"name", "when", "top", "announce"});
  if (!node.IsMap()) return;
  Definition definition{.kind = DefinitionKind::kTag};
  const auto name = YamlSource::find(keys, "name");
  const auto when = YamlSource::find(keys, "when");
  const auto top = YamlSource::find(keys, "top");
  if (!name || when.has_value() == top.has_value()) return source_.wrong(node, "a tag needs 'name', and either 'when' or 'top'");
  definition.name = source_.name(*name, "the name of a tag").value_or("");
  if (const auto value = YamlSource::find(keys, "announce")) definition.announce = source_.boolean(*value).value_or(true);
  if (when) {
    definition.when = read_condition(*when, {.memberships = true});
  } else {
    const size_t star = definition.name.find('*');
    if (star == std::string::npos || definition.name.find('*', star + 1) != std::string::npos)
      return source_.wrong(*name, "the name of top tags has one * where the key goes, as in cat:*");
    definition.prefix = definition.name.substr(0, star);
    definition.suffix = definition.name.substr(star + 1);
    read_top(*top, definition);
  }
  add_definition(*name, std::move(definition));
}

void DefinitionsParser::read_top(const YAML::Node& node, Definition& definition) {
  constexpr std::string_view kOf = " of ";
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  const size_t of = text.find(kOf);
  int count = 0;
  if (of != std::string::npos) std::from_chars(text.data(), text.data() + of, count);
  const auto scope = of == std::string::npos ? std::nullopt : find_scope(std::string_view(text).substr(of + kOf.size()));
  if (!scope || count < 1 || count > 16 || text.substr(0, of) != std::to_string(count))
    return source_.wrong(node, "expected a number from 1 to 16 and category, brand or item, as in '3 of category'");
  definition.kind = DefinitionKind::kTopTags;
  definition.scope = *scope;
  definition.top = static_cast<uint16_t>(count);
  check_keys_remembered(node, definition);
}

void DefinitionsParser::check_keys_remembered(const YAML::Node& place, const Definition& definition) {
  const uint16_t remembered = compiled_->plan.interest_size[interest_index(definition.scope)];
  if (remembered == 0) return source_.wrong(place, "settings say to remember no " + std::string(scope_name(definition.scope)));
  keyed_members_ += definition.kind == DefinitionKind::kTopTags ? definition.top : remembered;
  if (keyed_members_ > profile::kMaxKeyed)
    source_.wrong(place, "one user could be in " + std::to_string(keyed_members_) + " segments of keys and top tags, at most " +
                             std::to_string(profile::kMaxKeyed) + " are kept: have fewer of them, or remember fewer keys under settings");
}

void DefinitionsParser::add_definition(const YAML::Node& place, Definition definition) {
  const bool segment = definition.kind == DefinitionKind::kSegment || definition.kind == DefinitionKind::kKeyedSegment;
  for (const Definition& other : compiled_->definitions) {
    const bool other_segment = other.kind == DefinitionKind::kSegment || other.kind == DefinitionKind::kKeyedSegment;
    if (other_segment == segment && other.name == definition.name && !definition.name.empty())
      return source_.wrong(place, "there is already a " + std::string(segment ? "segment" : "tag") + " '" + definition.name + "'");
  }
  if (compiled_->definitions.size() == profile::kMaxDefinitions)
    return source_.wrong(place, "a file has " + std::to_string(profile::kMaxDefinitions) + " segments and tags at most");
  compiled_->definitions.push_back(std::move(definition));
}

// ---- what follows from the file as a whole

// Pages name things by the low halves of their hashes (docs/formats/page.md).
void DefinitionsParser::check_ids(std::vector<uint64_t> ids, std::string_view what) {
  for (uint64_t& id : ids) id &= 0xffffffff;
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) == ids.end() && (ids.empty() || ids.front() != 0)) return;
  source_.wrong(YAML::Node(), "by rare chance two " + std::string(what) + " have the same 32-bit hash: rename one");
}

void DefinitionsParser::finish() {
  compiler_.place_windows();
  Compiled& c = *compiled_;
  for (const std::string& stage : c.stages) c.plan.stage_ids.push_back(name_hash(stage));
  for (const Definition& definition : c.definitions) c.plan.definition_ids.push_back(name_hash(definition_key(definition)));
  c.held_values = c.definitions.size() + 1;
  for (const Definition& definition : c.definitions) {
    c.key_places.push_back(static_cast<uint32_t>(c.held_values));
    if (definition.kind == DefinitionKind::kKeyedSegment) c.held_values += c.plan.interest_size[interest_index(definition.scope)];
  }
  c.event_moves.resize(c.stages.size());
  c.time_moves.resize(c.stages.size());
  c.time_inputs.resize(c.stages.size());
  for (size_t i = 0; i < c.moves.size(); ++i) {
    const Move& move = c.moves[i];
    c.plan.move_ids.push_back(name_hash(c.stages[move.from] + '>' + c.stages[move.to] + ' ' + move.name));
    (move.on != 0 ? c.event_moves : c.time_moves)[move.from].push_back(static_cast<uint16_t>(i));
    if (move.on == 0) c.time_inputs[move.from] |= move.when.inputs;
  }
  std::vector<uint64_t> windows;
  for (const profile::Window& window : c.plan.windows) windows.push_back(window.id);
  check_ids(c.plan.stage_ids, "stages");
  check_ids(c.plan.definition_ids, "segments or tags");
  check_ids(c.plan.move_ids, "moves");
  check_ids(std::move(windows), "windows");
  // Top tags change with every event that leaves a trace.
  for (Definition& definition : c.definitions)
    if (definition.kind == DefinitionKind::kTopTags)
      for (size_t i = 0; i < event::kEventTypes; ++i)
        if (c.plan.weights[i] != 0) definition.when.inputs |= 1U << i;
  for (const Definition& definition : c.definitions) {
    c.inputs.push_back(definition.when.inputs);
    c.uses_stage.push_back(definition.when.uses_stage);
  }
  c.canonical = print_canonical(c);
  c.hash = hash128_hex(c.canonical);
}

std::string print_canonical(const Compiled& c) {
  std::string out = "segue definitions, language 1\n";
  const auto line = [&](std::initializer_list<std::string_view> words) {
    // Lengths, so that no name can look like another line.
    for (const std::string_view word : words) out += std::to_string(word.size()), out += ':', out += word, out += ' ';
    out += '\n';
  };
  const auto whole = [](auto value) { return std::to_string(static_cast<int64_t>(value)); };
  line({"zone", c.calendar.zone()});
  std::string offsets;
  if (c.uses_calendar) c.calendar.print(offsets);
  line({"offsets", offsets});
  line({"half_life", whole(c.plan.half_life.count()), "lateness", whole(c.plan.lateness.count())});
  for (size_t i = 0; i < event::kEventTypes; ++i) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), c.plan.weights[i]).ptr;
    if (c.plan.weights[i] != 0) line({"weight", event::kEventTypeNames[i], {buffer.data(), static_cast<size_t>(end - buffer.data())}});
  }
  line({"remember", whole(c.plan.interest_size[0]), whole(c.plan.interest_size[1]), whole(c.plan.interest_size[2])});
  for (const std::string& stage : c.stages) line({"stage", stage});
  for (const Move& move : c.moves)
    line({"move", move.name, c.stages[move.from], c.stages[move.to], whole(move.on), move.announce ? "announced" : "silent", move.when.canonical});
  for (const Definition& d : c.definitions)
    line({definition_key(d), whole(d.top), d.announce ? "announced" : "silent", whole(d.reentry), whole(d.reentry_after.count()), d.when.canonical});
  return out;
}

}  // namespace segue::segment
