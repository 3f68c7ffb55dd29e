// SPDX-License-Identifier: Apache-2.0
#include "services/api/profile_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "lib/profile/decay.h"

namespace segue::api {
namespace {

using codec::JsonWriter;
using profile::Interest;
using segment::DefinitionKind;
using segment::Explanation;

double worth(const UserMoment& user, double stored) {
  if (user.profile.landmark == kNoTime || user.as_of == kNoTime) return stored;
  return profile::weight_at(stored, user.as_of, user.profile.landmark, user.definitions.plan().half_life);
}

// The move that time alone makes first: what ends the present stage if nothing happens.
const Explanation* next_time_move(const std::vector<Explanation>& explanations) {
  const Explanation* next = nullptr;
  for (const Explanation& one : explanations)
    if (one.is_move && one.changes_at != kNever && (next == nullptr || one.changes_at < next->changes_at)) next = &one;
  return next;
}

void write_lifecycle(JsonWriter& json, const UserMoment& user, const std::vector<Explanation>& explanations) {
  const auto& stages = user.definitions.stages();
  json.name("lifecycle"), json.begin_object();
  json.name("stage");
  if (user.profile.stage < stages.size()) json.string(stages[user.profile.stage]);
  if (user.profile.stage >= stages.size()) json.null();
  write_time(json, "since", user.profile.stage_since);
  if (!user.profile.past_moves.empty()) json.name("by"), json.string(user.definitions.move(user.profile.past_moves.back().move).name);
  if (const Explanation* next = next_time_move(explanations)) {
    const auto& move = user.definitions.move(next->index);
    write_time(json, "leaves_at", next->changes_at);
    json.name("leaves_to"), json.string(user.definitions.stage_name(move.to));
    json.name("leaves_because"), json.string(move.when.text);
  }
  json.end_object();
}

// When membership ends by time alone; kNever where it does not, or where nothing was explained.
Time leaves_at(const std::vector<Explanation>& explanations, size_t index, std::string_view key) {
  for (const Explanation& one : explanations)
    if (!one.is_move && one.index == index && one.member && one.key == key) return one.changes_at;
  return kNever;
}

void write_membership(JsonWriter& json, std::string_view name, std::string_view key, Time leaves) {
  json.begin_object();
  json.name("name"), json.string(name);
  if (!key.empty()) json.name("key"), json.string(key);
  write_time(json, "leaves_at", leaves);
  json.end_object();
}

void write_segments(JsonWriter& json, const UserMoment& user, const std::vector<Explanation>& explanations) {
  const auto& definitions = user.definitions.definitions();
  json.name("segments"), json.begin_array();
  for (size_t i = 0; i < definitions.size(); ++i) {
    if (definitions[i].kind == DefinitionKind::kSegment && user.profile.members[i])
      write_membership(json, definitions[i].name, {}, leaves_at(explanations, i, {}));
    if (definitions[i].kind != DefinitionKind::kKeyedSegment) continue;
    for (const auto& member : user.profile.keyed_members)
      if (member.definition == i) write_membership(json, definitions[i].name, member.key, leaves_at(explanations, i, member.key));
  }
  json.end_array();
}

void write_tags(JsonWriter& json, const UserMoment& user, const std::vector<Explanation>& explanations) {
  const auto& definitions = user.definitions.definitions();
  json.name("tags"), json.begin_array();
  for (const std::string& tag : user.definitions.tags(user.profile)) {
    Time leaves = kNever;
    for (const Explanation& one : explanations) {
      if (one.is_move || !one.member || !is_tag(definitions[one.index])) continue;
      if (tag == (one.key.empty() ? definitions[one.index].name : one.key)) leaves = one.changes_at;
    }
    write_membership(json, tag, {}, leaves);
  }
  json.end_array();
}

void write_traits(JsonWriter& json, const UserMoment& user) {
  json.name("traits"), json.begin_object();
  for (const auto& trait : user.profile.traits) {
    json.foreign_name(trait.name);
    if (const auto* truth = std::get_if<bool>(&trait.value)) json.boolean(*truth);
    if (const auto* number = std::get_if<double>(&trait.value)) write_number(json, *number);
    if (const auto* text = std::get_if<std::string>(&trait.value)) json.string(*text);
  }
  json.end_object();
}

void write_counters(JsonWriter& json, const UserMoment& user) {
  const auto& profile = user.profile;
  json.name("counters"), json.begin_object();
  json.name("orders"), json.unsigned_integer(profile.orders);
  json.name("spend"), json.money(profile.spend);
  json.name("refunded"), json.money(profile.refunded);
  write_time(json, "last_purchase", profile.last_purchase);
  json.name("events"), json.begin_object();
  for (size_t i = 0; i < event::kEventTypes; ++i) {
    if (profile.counts[i] == 0) continue;
    json.name(event::kEventTypeNames[i]), json.begin_object();
    json.name("count"), json.unsigned_integer(profile.counts[i]);
    write_time(json, "last", profile.last[i]);
    json.end_object();
  }
  json.end_object();
  json.end_object();
}

void write_interest(JsonWriter& json, const Interest& interest, double weight, double sum) {
  static constexpr std::array<std::string_view, 4> kCounts = {"views", "clicks", "carts", "purchases"};
  json.begin_object();
  json.name("name"), json.string(interest.name);
  json.name("weight"), write_number(json, weight);
  json.name("share"), write_number(json, sum > 0 ? weight / sum : 0);
  for (size_t i = 0; i < kCounts.size(); ++i)
    if (interest.counts[i] != 0) json.name(kCounts[i]), json.unsigned_integer(interest.counts[i]);
  write_time(json, "last_seen", interest.last_seen);
  write_time(json, "first_purchase", interest.first_purchase);
  write_time(json, "last_purchase", interest.last_purchase);
  json.end_object();
}

void write_affinities(JsonWriter& json, const UserMoment& user) {
  static constexpr std::array<std::string_view, profile::kInterestScopes> kNames = {"category", "brand", "item"};
  json.name("affinities"), json.begin_object();
  for (size_t i = 0; i < profile::kInterestScopes; ++i) {
    std::vector<std::pair<double, const Interest*>> sorted;
    double sum = 0;
    for (const Interest& interest : user.profile.interests[i]) {
      sorted.emplace_back(worth(user, interest.weight), &interest);
      sum += sorted.back().first;
    }
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    json.name(kNames[i]), json.begin_array();
    for (const auto& [weight, interest] : sorted) write_interest(json, *interest, weight, sum);
    json.end_array();
  }
  json.end_object();
}

void write_vector(JsonWriter& json, const UserMoment& user) {
  json.name("vector"), json.begin_array();
  char digits[32];
  for (const float x : user.profile.vector) {
    const auto now = static_cast<float>(worth(user, static_cast<double>(x)));
    if (!std::isfinite(now)) {
      json.null();
      continue;
    }
    json.raw({digits, static_cast<size_t>(std::to_chars(digits, digits + sizeof digits, now).ptr - digits)});
  }
  json.end_array();
}

void write_cart(JsonWriter& json, const UserMoment& user) {
  json.name("cart"), json.begin_array();
  for (const auto& line : user.profile.cart) {
    json.begin_object();
    json.name("item_id"), json.string(line.item_id);
    write_time(json, "added", line.added);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

bool is_tag(const segment::Definition& definition) { return definition.kind == DefinitionKind::kTag || definition.kind == DefinitionKind::kTopTags; }

void write_time(JsonWriter& json, std::string_view name, Time t) {
  if (t == kNoTime || t == kNever) return;
  json.name(name), json.integer(to_ms(t));
}

void write_number(JsonWriter& json, double value) {
  if (std::isfinite(value)) return json.number(value);
  json.null();
}

void append_profile(const UserMoment& user, const ProfileSelection& selection, std::string& out) {
  std::vector<Explanation> explanations;
  if (selection.explain) explanations = user.definitions.explain(user.profile, user.as_of);
  JsonWriter json(out);
  json.begin_object();
  json.name("user_id"), json.string(user.user_id);
  write_time(json, "as_of", user.as_of);
  json.name("definitions"), json.string(user.definitions.hash());
  json.name("partition"), json.integer(user.partition);
  write_time(json, "first_seen", user.profile.first_seen);
  write_time(json, "last_seen", user.profile.last_seen);
  write_time(json, "next_change_at", user.profile.deadline);
  if (selection.has(Part::kLifecycle)) write_lifecycle(json, user, explanations);
  if (selection.has(Part::kSegments)) write_segments(json, user, explanations);
  if (selection.has(Part::kTags)) write_tags(json, user, explanations);
  if (selection.has(Part::kTraits)) write_traits(json, user);
  if (selection.has(Part::kCounters)) write_counters(json, user);
  if (selection.has(Part::kAffinities)) write_affinities(json, user);
  if (selection.has(Part::kVector)) write_vector(json, user);
  if (selection.has(Part::kCart)) write_cart(json, user);
  if (selection.has(Part::kHistory)) json.name("history"), write_history(json, user, false);
  if (selection.explain) json.name("explanation"), write_explanation(json, user, explanations);
  if (selection.sources) json.name("sources"), write_sources(json, user, selection);
  json.end_object();
}

void append_history(const UserMoment& user, std::string& out) {
  JsonWriter json(out);
  write_history(json, user, true);
}

}  // namespace segue::api
