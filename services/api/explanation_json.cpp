// SPDX-License-Identifier: Apache-2.0
// History, explanation and sources of a user.
#include <algorithm>
#include <cmath>

#include "services/api/profile_json.h"

namespace segue::api {
namespace {

using codec::JsonWriter;
using segment::DefinitionKind;
using segment::Explanation;

constexpr std::array<std::string_view, 3> kCauses = {"event", "timer", "definitions"};

std::string_view word(segment::ComparedUnit unit) {
  static constexpr std::array<std::string_view, 3> kWords = {"number", "duration_ms", "time_ms"};
  return kWords[static_cast<size_t>(unit)];
}

void write_move(JsonWriter& json, const UserMoment& user, const profile::PastMove& past) {
  const auto& move = user.definitions.move(past.move);
  json.begin_object();
  json.name("n"), json.unsigned_integer(past.n);
  json.name("name"), json.string(move.name);
  json.name("from"), json.string(user.definitions.stage_name(past.from));
  json.name("to"), json.string(user.definitions.stage_name(past.to));
  write_time(json, "at", past.at);
  json.name("cause"), json.string(kCauses[static_cast<size_t>(past.cause)]);
  if (!past.event_id.empty()) json.name("event_id"), json.string(past.event_id);
  json.name("when"), json.string(move.when.text);
  json.name("compared"), json.begin_array();
  const auto names = user.definitions.compared_names(true, past.move);
  const auto units = user.definitions.compared_units(true, past.move);
  for (size_t i = 0; i < std::min<size_t>(past.compared_count, names.size()); ++i) {
    json.begin_object();
    json.name("name"), json.string(names[i]);
    json.name("value"), write_number(json, past.compared[i]);
    json.name("unit"), json.string(word(units[i]));
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_standing(JsonWriter& json, const segment::Condition& when, const Explanation& explanation) {
  json.name("when"), json.string(when.text);
  json.name("value"), json.boolean(explanation.value);
  write_time(json, "changes_at", explanation.changes_at);
  json.name("conditions"), json.begin_array();
  for (const auto& leaf : explanation.leaves) {
    json.begin_object();
    json.name("text"), json.string(leaf.text);
    json.name("value"), json.boolean(leaf.value);
    json.name("compared"), write_number(json, leaf.compared);
    json.name("unit"), json.string(word(leaf.unit));
    write_time(json, "holds_until", leaf.holds_until);
    json.end_object();
  }
  json.end_array();
}

void write_move_ahead(JsonWriter& json, const segment::Definitions& definitions, const Explanation& explanation) {
  const auto& move = definitions.move(explanation.index);
  json.begin_object();
  json.name("name"), json.string(move.name);
  json.name("from"), json.string(definitions.stage_name(move.from));
  json.name("to"), json.string(definitions.stage_name(move.to));
  json.name("on"), json.begin_array();
  for (size_t i = 0; i < event::kEventTypes; ++i)
    if ((move.on >> i & 1) != 0) json.string(event::kEventTypeNames[i]);
  json.end_array();
  write_standing(json, move.when, explanation);
  json.end_object();
}

void write_definition(JsonWriter& json, const segment::Definitions& definitions, const Explanation& explanation) {
  const auto& definition = definitions.definition(explanation.index);
  json.begin_object();
  json.name("name"), json.string(definition.name);
  if (!explanation.key.empty()) json.name("key"), json.string(explanation.key);
  json.name("member"), json.boolean(explanation.member);
  write_standing(json, definition.when, explanation);
  json.end_object();
}

// The members of one source entry, under the path of a value in the answer.
void write_source(JsonWriter& json, std::string_view path, std::string_view source, Time at) {
  if (at == kNoTime) return;
  json.foreign_name(path), json.begin_object();
  json.name("source"), json.string(source);
  write_time(json, "at", at);
  json.end_object();
}

void write_stage_source(JsonWriter& json, const UserMoment& user) {
  if (user.profile.past_moves.empty()) return;
  const auto& move = user.profile.past_moves.back();
  json.name("lifecycle.stage"), json.begin_object();
  json.name("source"), json.string("move");
  json.name("name"), json.string(user.definitions.move(move.move).name);
  json.name("cause"), json.string(kCauses[static_cast<size_t>(move.cause)]);
  if (!move.event_id.empty()) json.name("event_id"), json.string(move.event_id);
  write_time(json, "at", move.at);
  json.end_object();
}

}  // namespace

void write_history(JsonWriter& json, const UserMoment& user, bool with_user) {
  json.begin_object();
  if (with_user) {
    json.name("user_id"), json.string(user.user_id);
    write_time(json, "as_of", user.as_of);
    json.name("definitions"), json.string(user.definitions.hash());
  }
  write_time(json, "first_seen", user.profile.first_seen);
  // A full list may have lost what came before it.
  json.name("complete"), json.boolean(user.profile.past_moves.size() < profile::kMaxPastMoves);
  json.name("moves"), json.begin_array();
  for (const auto& move : user.profile.past_moves) write_move(json, user, move);
  json.end_array();
  json.end_object();
}

void write_explanation(JsonWriter& json, const UserMoment& user, const std::vector<Explanation>& explanations) {
  const auto is_of = [&](const Explanation& one, bool tag) { return !one.is_move && is_tag(user.definitions.definition(one.index)) == tag; };
  json.begin_object();
  json.name("moves"), json.begin_array();
  for (const auto& one : explanations)
    if (one.is_move) write_move_ahead(json, user.definitions, one);
  json.end_array();
  for (const bool tag : {false, true}) {
    json.name(tag ? "tags" : "segments"), json.begin_array();
    for (const auto& one : explanations)
      if (is_of(one, tag)) write_definition(json, user.definitions, one);
    json.end_array();
  }
  json.end_object();
}

void write_sources(JsonWriter& json, const UserMoment& user, const ProfileSelection& selection) {
  const auto& profile = user.profile;
  const auto last = [&](event::EventType type) { return profile.last[event::index(type)]; };
  json.begin_object();
  if (selection.has(Part::kLifecycle)) write_stage_source(json, user);
  if (selection.has(Part::kTraits))
    for (const auto& trait : profile.traits) write_source(json, "traits." + trait.name, "identify", trait.stated);
  if (selection.has(Part::kCounters)) {
    write_source(json, "counters.orders", "purchase", profile.last_purchase);
    write_source(json, "counters.spend", "purchase", profile.last_purchase);
    write_source(json, "counters.refunded", "refund", last(event::EventType::kRefund));
    for (size_t i = 0; i < event::kEventTypes; ++i)
      if (profile.counts[i] != 0)
        write_source(json, "counters.events." + std::string(event::kEventTypeNames[i]), event::kEventTypeNames[i], profile.last[i]);
  }
  if (selection.has(Part::kAffinities)) {
    static constexpr std::array<std::string_view, profile::kInterestScopes> kNames = {"category", "brand", "item"};
    for (size_t i = 0; i < profile::kInterestScopes; ++i)
      for (const auto& interest : profile.interests[i])
        write_source(json, "affinities." + std::string(kNames[i]) + "." + interest.name, "events", interest.last_seen);
  }
  if (selection.has(Part::kCart))
    for (const auto& line : profile.cart) write_source(json, "cart." + line.item_id, "cart", line.added);
  json.end_object();
}

}  // namespace segue::api
