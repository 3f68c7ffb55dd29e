// SPDX-License-Identifier: Apache-2.0
#include "services/tools/explanation_view.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/codec/json_writer.h"
#include "services/tools/display.h"
#include "services/tools/table.h"

namespace segue::tools {
namespace {

using Align = Table::Align;
using segment::DefinitionKind;
using segment::Explanation;

std::string cause_text(const PastOutput& output) {
  if (output.cause == "timer") return "deadline";
  if (output.cause == "definitions") return "new definitions";
  return "event " + printable(output.event_id);
}

// The page's memory of a move, by the number of its output.
const profile::PastMove* find_memory(const profile::Profile& profile, const PastOutput& output) {
  const auto found = std::find_if(profile.past_moves.rbegin(), profile.past_moves.rend(), [&](const profile::PastMove& move) {
    return move.at == output.at && (move.n == output.n) && output.type == "move";
  });
  return found == profile.past_moves.rend() ? nullptr : &*found;
}

// "orders = 1", each by itself.
std::vector<std::string> compared_words(const ProfileView& view, const profile::PastMove& move, const LocalClock& clock) {
  const auto names = view.definitions.compared_names(true, move.move);
  const auto units = view.definitions.compared_units(true, move.move);
  std::vector<std::string> words;
  for (size_t i = 0; i < std::min<size_t>(move.compared_count, names.size()); ++i)
    words.push_back(printable(names[i]) + " = " + compared_text(units[i], move.compared[i], clock));
  return words;
}

std::string what_happened(const PastOutput& output) {
  if (output.type == "move") return printable(output.from) + " → " + printable(output.to);
  std::string what = output.type + " " + printable(output.name);
  if (!output.key.empty()) what += " (" + printable(output.key) + ")";
  return what;
}

// Lines of a table, each with what was compared behind it; on lines of their own where the terminal is too narrow.
std::string with_compared(std::string_view lines, const std::vector<std::vector<std::string>>& compared, const Terminal& terminal) {
  constexpr size_t kIndent = 23;  // behind date and time
  size_t widest = 0;
  std::vector<std::string_view> rows;
  for (; !lines.empty(); lines.remove_prefix(rows.back().size() + 1)) {
    rows.push_back(lines.substr(0, lines.find('\n')));
    widest = std::max(widest, display_width(rows.back()));
  }
  std::string out;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto joined = [&](std::string a, const std::string& b) { return a.empty() ? b : a + ", " + b; };
    const std::string all = std::accumulate(compared[i].begin(), compared[i].end(), std::string(), joined);
    if (all.empty() || (terminal.is_tty && widest + 2 + display_width(all) > terminal.width)) {
      out.append(rows[i]).append("\n");
    } else {
      out.append(padded(rows[i], widest)).append("  ").append(terminal.paint.faint(all)).append("\n");
      continue;
    }
    for (std::string line; const std::string& word : compared[i]) {
      const bool is_last = &word == &compared[i].back();
      line = joined(std::move(line), word);
      const size_t next = is_last ? 0 : display_width((&word)[1]) + 2;
      if (!is_last && kIndent + display_width(line) + next <= terminal.width) continue;
      out.append(kIndent, ' ').append(terminal.paint.faint(line)).append("\n");
      line.clear();
    }
  }
  return out;
}

std::string event_types(uint32_t mask) {
  std::string out;
  for (size_t i = 0; i < event::kEventTypes; ++i)
    if ((mask >> i & 1) != 0) out += (out.empty() ? "" : " or ") + std::string(event::kEventTypeNames[i]);
  return out;
}

// The comparisons that turn at the moment of the change; the whole condition where none does by itself.
std::string turning_point(const Explanation& explanation, const std::string& condition) {
  std::string out;
  for (const auto& leaf : explanation.leaves)
    if (leaf.holds_until == explanation.changes_at) out += (out.empty() ? "" : " and ") + printable(leaf.text);
  return out.empty() ? printable(condition) : out;
}

std::string membership_change(const Explanation& explanation, const segment::Definition& definition) {
  const bool is_tag = definition.kind == DefinitionKind::kTag || definition.kind == DefinitionKind::kTopTags;
  std::string what = is_tag ? (explanation.member ? "loses tag " : "gets tag ") : (explanation.member ? "leaves " : "enters ");
  if (definition.kind == DefinitionKind::kTopTags) return what + printable(explanation.key);
  what += printable(definition.name);
  return explanation.key.empty() ? what : what + " (" + printable(explanation.key) + ")";
}

// What time alone will do, the soonest first: moves, then at most kShownChanges segments and tags.
struct Change {
  const Explanation* explanation;
  std::string what;
  std::string why;
};
constexpr size_t kShownChanges = 8;

std::vector<Change> changes_by_time(const ProfileView& view, const std::vector<Explanation>& explanations) {
  const auto& definitions = view.definitions;
  std::vector<Change> changes;
  for (const Explanation& explanation : explanations) {
    if (explanation.changes_at == kNever) continue;
    if (explanation.is_move) {
      const auto& move = definitions.move(explanation.index);
      if (move.on != 0) continue;
      changes.push_back({&explanation, printable(definitions.stage_name(move.from)) + " → " + printable(definitions.stage_name(move.to)),
                         turning_point(explanation, move.when.text)});
    } else {
      const auto& definition = definitions.definition(explanation.index);
      changes.push_back({&explanation, membership_change(explanation, definition), turning_point(explanation, definition.when.text)});
    }
  }
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    if (a.explanation->is_move != b.explanation->is_move) return a.explanation->is_move;
    return a.explanation->changes_at < b.explanation->changes_at;
  });
  return changes;
}

std::string next_changes(const ProfileView& view, const LocalClock& clock, const Terminal& terminal) {
  const auto& definitions = view.definitions;
  const auto explanations = definitions.explain(view.profile, view.now);
  const auto changes = changes_by_time(view, explanations);
  Table alone({Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft}), by_events({Align::kLeft, Align::kLeft});
  size_t memberships = 0;
  for (const Change& change : changes) {
    if (!change.explanation->is_move && ++memberships > kShownChanges) continue;
    const Time at = change.explanation->changes_at;
    alone.row({clock.text(at), "in " + duration_text(at - view.now), change.what, "because " + change.why});
  }
  if (memberships > kShownChanges) alone.row({"…", "", "and " + std::to_string(memberships - kShownChanges) + " more (--json has all)"});
  for (const Explanation& explanation : explanations) {
    if (!explanation.is_move || definitions.move(explanation.index).on == 0) continue;
    const auto& move = definitions.move(explanation.index);
    const std::string condition = printable(move.when.text);
    by_events.row({printable(definitions.stage_name(move.from)) + " → " + printable(definitions.stage_name(move.to)),
                   "a " + event_types(move.on) + (condition.empty() ? "" : ", when " + condition)});
  }
  std::string out = "\n" + terminal.paint.strong("If nothing happens") + "\n";
  out += alone.empty() ? "  nothing changes: no condition turns by time alone from here\n" : alone.text(terminal);
  if (!by_events.empty()) out += "\n" + terminal.paint.strong("What moves the user on") + "\n" + by_events.text(terminal);
  return out;
}

void write_number(codec::JsonWriter& json, double value) {
  if (std::isfinite(value)) return json.number(value);
  json.null();
}

void write_past(codec::JsonWriter& json, const ProfileView& view, const PastOutput& output) {
  json.begin_object();
  json.name("n"), json.unsigned_integer(output.n);
  json.name("type"), json.string(output.type);
  if (!output.name.empty()) json.name("name"), json.string(output.name);
  if (!output.key.empty()) json.name("key"), json.string(output.key);
  if (!output.from.empty()) json.name("from"), json.string(output.from);
  if (!output.to.empty()) json.name("to"), json.string(output.to);
  json.name("at"), json.integer(to_ms(output.at));
  json.name("cause"), json.string(output.cause);
  if (!output.event_id.empty()) json.name("event_id"), json.string(output.event_id);
  if (const auto* memory = find_memory(view.profile, output)) {
    const auto names = view.definitions.compared_names(true, memory->move);
    json.name("condition"), json.string(view.definitions.move(memory->move).when.text);
    json.name("compared"), json.begin_object();
    for (size_t i = 0; i < std::min<size_t>(memory->compared_count, names.size()); ++i)
      json.foreign_name(names[i]), write_number(json, memory->compared[i]);
    json.end_object();
  }
  json.end_object();
}

void write_next(codec::JsonWriter& json, const ProfileView& view, const Explanation& explanation) {
  json.begin_object();
  if (explanation.is_move) {
    const auto& move = view.definitions.move(explanation.index);
    json.name("type"), json.string("move");
    json.name("name"), json.string(move.name);
    json.name("from"), json.string(view.definitions.stage_name(move.from));
    json.name("to"), json.string(view.definitions.stage_name(move.to));
    json.name("on"), json.begin_array();
    for (size_t i = 0; i < event::kEventTypes; ++i)
      if ((move.on >> i & 1) != 0) json.string(event::kEventTypeNames[i]);
    json.end_array();
    json.name("when"), json.string(move.when.text);
  } else {
    const auto& definition = view.definitions.definition(explanation.index);
    const bool is_tag = definition.kind == DefinitionKind::kTag || definition.kind == DefinitionKind::kTopTags;
    json.name("type"), json.string(is_tag ? "tag" : "segment");
    json.name("name"), json.string(definition.name);
    if (!explanation.key.empty()) json.name("key"), json.string(explanation.key);
    json.name("member"), json.boolean(explanation.member);
    json.name("when"), json.string(definition.when.text);
  }
  if (explanation.changes_at != kNever) json.name("changes_at"), json.integer(to_ms(explanation.changes_at));
  json.name("conditions"), json.begin_array();
  for (const auto& leaf : explanation.leaves) {
    json.begin_object();
    json.name("text"), json.string(leaf.text);
    json.name("value"), json.boolean(leaf.value);
    json.name("compared"), write_number(json, leaf.compared);
    if (leaf.holds_until != kNever) json.name("holds_until"), json.integer(to_ms(leaf.holds_until));
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

}  // namespace

std::vector<PastOutput> remembered_moves(const ProfileView& view) {
  static constexpr std::array<const char*, 3> kCauses = {"event", "timer", "definitions"};
  std::vector<PastOutput> past;
  for (const auto& move : view.profile.past_moves)
    past.push_back({.n = move.n,
                    .type = "move",
                    .name = view.definitions.move(move.move).name,
                    .key = {},
                    .from = view.definitions.stage_name(move.from),
                    .to = view.definitions.stage_name(move.to),
                    .at = move.at,
                    .cause = kCauses[static_cast<size_t>(move.cause)],
                    .event_id = move.event_id});
  return past;
}

std::string explanation_text(const ProfileView& view, const std::vector<PastOutput>& past, const LocalClock& clock, const Terminal& terminal) {
  const Paint& paint = terminal.paint;
  const auto& stages = view.definitions.stages();
  std::string out = paint.strong(printable(view.user_id));
  if (view.profile.stage < stages.size()) {
    out += " is " + paint.strong(printable(stages[view.profile.stage]));
    if (view.profile.stage_since != kNoTime) out += ", since " + clock.text(view.profile.stage_since);
  }
  out += paint.faint("   as of " + clock.text(view.now) + " " + clock.zone()) + "\n\n" + paint.strong("How it came") + "\n";
  Table table({Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft});
  std::vector<std::vector<std::string>> compared(1);  // by row
  table.row({clock.text(view.profile.first_seen), "first seen"});
  // Only the last moves are on the page; what came before them is in the outputs.
  if (!past.empty() && past.front().n > 1 && past.size() == profile::kMaxPastMoves) {
    table.row({"…", "what came before: --full"});
    compared.emplace_back();
  }
  for (const PastOutput& output : past) {
    table.row({clock.text(output.at), what_happened(output), output.type == "move" ? printable(output.name) : "", cause_text(output)});
    const auto* memory = find_memory(view.profile, output);
    compared.push_back(memory == nullptr ? std::vector<std::string>() : compared_words(view, *memory, clock));
  }
  return out + with_compared(table.text(terminal), compared, terminal) + next_changes(view, clock, terminal);
}

std::string explanation_json(const ProfileView& view, const std::vector<PastOutput>& past, const LocalClock& clock) {
  std::string out;
  codec::JsonWriter json(out);
  json.begin_object();
  json.name("user_id"), json.string(view.user_id);
  if (view.profile.stage < view.definitions.stages().size()) json.name("stage"), json.string(view.definitions.stage_name(view.profile.stage));
  if (view.profile.stage_since != kNoTime) json.name("stage_since"), json.integer(to_ms(view.profile.stage_since));
  if (view.now != kNoTime) json.name("as_of"), json.integer(to_ms(view.now));
  json.name("time_zone"), json.string(clock.zone());
  json.name("past"), json.begin_array();
  for (const PastOutput& output : past) write_past(json, view, output);
  json.end_array();
  json.name("next"), json.begin_array();
  for (const Explanation& explanation : view.definitions.explain(view.profile, view.now)) write_next(json, view, explanation);
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace segue::tools
