// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "lib/segment/step.h"

namespace segue::segment {

using profile::Cause;
using profile::Interest;
using profile::KeyedMember;
using profile::LeftSegment;

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

// All remembered keys: only then is holds_until the same as after reading the profile back from its page.
void Step::step_keyed(uint16_t index) {
  const Definition& definition = compiled_.definitions[index];
  const auto& table = profile_.interests[interest_index(definition.scope)];
  auto& members = profile_.keyed_members;
  const auto about = [&](Time t, const Interest* key) {
    Subject asked = subject(t);
    asked.key = key;
    asked.scope = definition.scope;
    return asked;
  };
  const auto turn_of = [&](const Interest& key, bool value) {
    return turning_point(definition.when.uses_stage, value, [&](Time t) { return evaluate(definition.when, about(t, &key)); });
  };
  // Members first: who is no longer one, or whose key is no longer remembered, leaves.
  for (size_t i = 0; i < members.size();) {
    const Interest* key = members[i].definition == index ? profile_.find_interest(definition.scope, members[i].key_hash) : nullptr;
    const Subject asked = about(now_, key);
    if (members[i].definition != index || (key != nullptr && evaluate(definition.when, asked).value)) {
      ++i;
      continue;
    }
    const Turn gone{event_ == nullptr ? now_ : event_->ts, cause_};
    const Turn turn = key == nullptr ? gone : turn_of(*key, false);
    tell(ChangeKind::kLeft, index, turn, std::move(members[i].key), key == nullptr ? nullptr : &asked);
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
  }
  Time until = kNever;
  for (const Interest& key : table) {
    const Subject asked = about(now_, &key);
    const Verdict verdict = evaluate(definition.when, asked);
    until = std::min(until, verdict.holds_until);
    const bool member =
        std::any_of(members.begin(), members.end(), [&](const KeyedMember& m) { return m.definition == index && m.key_hash == key.hash; });
    if (verdict.value && !member) add_key(index, key, turn_of(key, true), &asked);
  }
  profile_.holds_until[index] = until;
}

// The heaviest keys. All weights fall alike, so that their order changes with events only.
void Step::step_top(uint16_t index) {
  const Definition& definition = compiled_.definitions[index];
  const auto& table = profile_.interests[interest_index(definition.scope)];
  auto& members = profile_.keyed_members;
  std::array<const Interest*, 16> top{};
  size_t count = 0;
  for (const Interest& key : table) {
    size_t place = count;
    while (place > 0 && key.weight > top[place - 1]->weight) --place;
    if (place == definition.top) continue;
    if (count < definition.top) ++count;
    for (size_t i = count - 1; i > place; --i) top[i] = top[i - 1];
    top[place] = &key;
  }
  profile_.holds_until[index] = kNever;
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
