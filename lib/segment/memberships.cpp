// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bitset>
#include <utility>

#include "lib/base/hash.h"
#include "lib/segment/step.h"
#include "lib/segment/vocabulary.h"

namespace segue::segment {

using profile::Cause;
using profile::Interest;
using profile::KeyedMember;
using profile::LeftSegment;
using profile::Scope;

Time left_at(const profile::Profile& profile, uint16_t definition) {
  for (const LeftSegment& left : profile.left_segments)
    if (left.definition == definition) return left.at;
  return kNoTime;
}

Verdict with_reentry(const Definition& definition, Verdict condition, bool member, Time left, Time now) {
  if (definition.reentry == Reentry::kAlways || !condition.value || member || left == kNoTime) return condition;
  if (definition.reentry == Reentry::kOnce) return {false, condition.holds_until};
  const Time open = left + definition.reentry_after;
  return now >= open ? condition : Verdict{false, std::min(open, condition.holds_until)};
}

namespace {

std::string_view name_of(const event::Item& line, Scope scope) {
  return scope == Scope::kCategory ? line.category : scope == Scope::kBrand ? line.brand : line.item_id;
}

// The place of a key in its table; the table's size when it is not remembered.
size_t find_place(const profile::Profile& profile, Scope scope, uint64_t hash) {
  const auto& table = profile.interests[interest_index(scope)];
  const auto& list = profile.interest_lists[interest_index(scope)];
  if (list.size() == table.size()) return std::min(list.find(hash, [&](size_t i) { return table[i].hash == hash; }), table.size());
  size_t place = 0;
  while (place < table.size() && table[place].hash != hash) ++place;
  return place;
}

// How many keys stand before this one when the heaviest come first, and among equals the earlier place.
size_t heavier_than(const profile::Profile& profile, Scope scope, size_t place) {
  const auto& table = profile.interests[interest_index(scope)];
  const auto& list = profile.interest_lists[interest_index(scope)];
  if (list.size() == table.size()) return list.heavier_than(place);
  const double weight = table[place].weight;
  size_t heavier = 0;
  for (size_t i = 0; i < table.size(); ++i)
    heavier += static_cast<size_t>(table[i].weight > weight) | static_cast<size_t>(table[i].weight == weight && i < place);
  return heavier;
}

}  // namespace

void Step::step_definition(uint16_t index) {
  switch (compiled_.definitions[index].kind) {
    case DefinitionKind::kSegment:
    case DefinitionKind::kTag:
      return step_plain(index);
    case DefinitionKind::kKeyedSegment:
      return step_keyed(index);
    case DefinitionKind::kTopTags:
      return step_top(index);
  }
}

Verdict Step::allowed(uint16_t index, const Subject& asked) const {
  const Definition& definition = compiled_.definitions[index];
  const Verdict condition = evaluate(definition.when, asked);
  if (definition.reentry == Reentry::kAlways) return condition;
  return with_reentry(definition, condition, profile_.members[index], left_at(profile_, index), asked.now);
}

void Step::step_plain(uint16_t index) {
  const Verdict verdict = allowed(index, subject(now_));
  profile_.holds_until[index] = verdict.holds_until;
  if (verdict.value == profile_.members[index]) return;
  const Definition& definition = compiled_.definitions[index];
  const Turn turn = turning_point(definition.when.uses_stage, verdict.value, [&](Time t) { return allowed(index, subject(t)); });
  const bool tag = definition.kind == DefinitionKind::kTag;
  const ChangeKind kind = verdict.value ? (tag ? ChangeKind::kTagged : ChangeKind::kEntered) : (tag ? ChangeKind::kUntagged : ChangeKind::kLeft);
  const Subject now = subject(now_);
  tell(kind, index, turn, {}, &now);
  profile_.members[index] = verdict.value;
  if (verdict.value || definition.reentry == Reentry::kAlways) return;
  auto& left = profile_.left_segments;
  const auto place = std::lower_bound(left.begin(), left.end(), index, [](const LeftSegment& l, uint16_t i) { return l.definition < i; });
  if (place != left.end() && place->definition == index)
    place->at = turn.at;
  else
    left.insert(place, {index, turn.at});
}

const std::bitset<kMaxKeys>& Step::named(Scope scope) {
  auto& places = named_[interest_index(scope)];
  if (places) return *places;
  places.emplace();
  if (event_ == nullptr) return *places;
  for (const event::Item& line : event_->lines()) {
    const size_t place = find_place(profile_, scope, name_hash(name_of(line, scope)));
    if (place < std::min(profile_.interests[interest_index(scope)].size(), kMaxKeys)) places->set(place);
  }
  return *places;
}

// Asks about the keys that the event names, and about those whose time has come; about all where the event can have changed what they share.
void Step::step_keyed(uint16_t index) {
  const Definition& definition = compiled_.definitions[index];
  const auto& table = profile_.interests[interest_index(definition.scope)];
  auto& members = profile_.keyed_members;
  Time* const until = &profile_.holds_until[compiled_.key_places[index]];
  const uint32_t type = event_ == nullptr ? 0 : bit(event_->type);
  const bool every_key = all_ || (definition.when.shared_inputs & type) != 0 || (moved_ && definition.when.uses_stage);
  const auto about = [&](Time t, const Interest* key) {
    Subject asked = subject(t);
    asked.key = key;
    asked.scope = definition.scope;
    return asked;
  };
  const std::bitset<kMaxKeys>& touched = named(definition.scope);
  std::bitset<kMaxKeys> asked_about;
  std::bitset<kMaxKeys> value;
  const size_t keys = std::min<size_t>(table.size(), compiled_.plan.interest_size[interest_index(definition.scope)]);
  Time first = kNever;
  for (size_t i = 0; i < keys; ++i) {
    if (every_key || until[i] <= now_ || touched[i]) {
      const Verdict verdict = evaluate(definition.when, about(now_, &table[i]));
      asked_about[i] = true;
      value[i] = verdict.value;
      until[i] = verdict.holds_until;
    }
    first = std::min(first, until[i]);
  }
  profile_.holds_until[index] = first;
  if (asked_about.none() && !all_) return;

  const auto turn_of = [&](const Interest& key, bool is) {
    return turning_point(definition.when.uses_stage, is, [&](Time t) { return evaluate(definition.when, about(t, &key)); });
  };
  // Who is no longer a member, or whose key is no longer remembered, leaves first.
  for (size_t i = 0; i < members.size();) {
    size_t place = 0;
    while (members[i].definition == index && place < keys && table[place].hash != members[i].key_hash) ++place;
    if (members[i].definition != index || (place < keys && (!asked_about[place] || value[place]))) {
      if (members[i].definition == index) asked_about[place] = false;  // nothing more to do for it
      ++i;
      continue;
    }
    const Turn turn = place == keys ? Turn{event_ == nullptr ? now_ : event_->ts, cause_} : turn_of(table[place], false);
    const Subject asked = about(now_, place == keys ? nullptr : &table[place]);
    tell(ChangeKind::kLeft, index, turn, std::move(members[i].key), place == keys ? nullptr : &asked);
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (size_t i = 0; i < keys; ++i) {
    if (!asked_about[i] || !value[i]) continue;
    const Subject asked = about(now_, &table[i]);
    add_key(index, table[i], turn_of(table[i], true), &asked);
  }
}

// Whether the heaviest keys are certain to be the same as before the event: all weights but that of the key it names fall alike. That key may have
// been heavy before, or may not be heavy enough now. A key whose place it took was the lightest, and none of the heaviest unless this one is now.
bool Step::top_stays(uint16_t index) const {
  const Definition& definition = compiled_.definitions[index];
  if (all_ || event_ == nullptr) return false;
  const auto lines = event_->lines();
  if (lines.size() != 1) return lines.empty();
  // The landmark may have moved to this event, and weights of long ago, now all zero, lose their order.
  if (profile_.landmark == kNoTime || event_->ts - profile_.landmark < compiled_.plan.half_life) return false;
  const std::string_view name = name_of(lines[0], definition.scope);
  if (name.empty()) return true;
  for (const KeyedMember& member : profile_.keyed_members)
    if (member.definition == index && member.key == name) return true;
  const auto& table = profile_.interests[interest_index(definition.scope)];
  const size_t place = find_place(profile_, definition.scope, name_hash(name));
  return place == table.size() || heavier_than(profile_, definition.scope, place) >= definition.top;
}

// The heaviest keys. All weights fall alike, so that their order changes with events only.
void Step::step_top(uint16_t index) {
  profile_.holds_until[index] = kNever;
  if (top_stays(index)) return;
  const Definition& definition = compiled_.definitions[index];
  const auto& table = profile_.interests[interest_index(definition.scope)];
  auto& members = profile_.keyed_members;
  const auto& list = profile_.interest_lists[interest_index(definition.scope)];
  const bool listed = list.size() == table.size();
  std::array<const Interest*, 16> top{};
  std::array<double, 16> weights{};
  size_t count = 0;
  for (size_t key = 0; key < table.size(); ++key) {
    const double weight = listed ? list.weight(key) : table[key].weight;
    size_t place = count;
    while (place > 0 && weight > weights[place - 1]) --place;
    if (place == definition.top) continue;
    if (count < definition.top) ++count;
    for (size_t i = count - 1; i > place; --i) top[i] = top[i - 1], weights[i] = weights[i - 1];
    top[place] = &table[key];
    weights[place] = weight;
  }
  std::array<bool, 16> held{};
  const Turn turn{event_ == nullptr ? now_ : event_->ts, cause_};
  for (size_t i = 0; i < members.size();) {
    size_t place = 0;
    if (members[i].definition != index) {
      ++i;
      continue;
    }
    while (place < count && top[place]->hash != members[i].key_hash) ++place;
    if (place < count) {
      held[place] = true;
      ++i;
      continue;
    }
    tell(ChangeKind::kUntagged, index, turn, std::move(members[i].key), nullptr);
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (size_t place = 0; place < count; ++place)
    if (!held[place]) add_key(index, *top[place], turn, nullptr);
}

void Step::add_key(uint16_t index, const Interest& key, const Turn& turn, const Subject* asked) {
  auto& members = profile_.keyed_members;
  // Only a page that other definitions shaped can hold more keys than these allow (DefinitionsParser::check_keys_remembered).
  if (members.size() >= profile::kMaxKeyed) return;
  const auto place = std::find_if(members.begin(), members.end(), [&](const KeyedMember& m) { return m.definition > index; });
  members.insert(place, {index, key.hash, key.name});
  tell(asked == nullptr ? ChangeKind::kTagged : ChangeKind::kEntered, index, turn, key.name, asked);
}

void Step::tell(ChangeKind kind, uint16_t index, const Turn& turn, std::string key, const Subject* asked) {
  const Definition& definition = compiled_.definitions[index];
  Change& change = out_.emplace_back();
  change.kind = kind;
  change.index = index;
  change.announce = definition.announce;
  change.cause = turn.cause;
  change.at = turn.at;
  change.key = definition.kind == DefinitionKind::kTopTags ? definition.prefix + key + definition.suffix : std::move(key);
  if (asked != nullptr) fill_compared(definition.when, *asked, change.compared_count, change.compared);
}

// When a condition that has `value` now came to have it. At an event that is not late: at the event. After a late one it may have turned between the
// event's time and now: at its last turn. A condition on the stage is asked no earlier than the step's last move, before which the stage was another.
Step::Turn Step::turning_point(bool uses_stage, bool value, const Ask& ask) const {
  if (event_ == nullptr) return {now_, cause_};
  Turn turn{event_->ts, Cause::kEvent};
  if (uses_stage && moved_ && moved_->at > turn.at) turn = *moved_;
  if (turn.at >= now_) return turn;
  Verdict verdict = ask(turn.at);
  bool before = verdict.value;
  for (size_t steps = 0; verdict.holds_until <= now_ && steps < kMaxWalkSteps; ++steps) {
    const Time t = verdict.holds_until;
    verdict = ask(t);
    if (verdict.value != before) turn = {t, Cause::kTimer};
    before = verdict.value;
  }
  // Beyond the limit of steps nothing is claimed but that it turned with the event.
  return before == value ? turn : Turn{event_->ts, Cause::kEvent};
}

}  // namespace segue::segment
