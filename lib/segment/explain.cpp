// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "lib/segment/evaluate.h"
#include "lib/segment/step.h"

namespace segue::segment {
namespace {

std::vector<LeafExplanation> explain_leaves(const Condition& when, const Subject& subject) {
  std::vector<LeafExplanation> leaves;
  for (const uint32_t leaf : leaves_of(subject.compiled, when.root)) {
    const Verdict verdict = evaluate(leaf, subject);
    const LeafText& text = subject.compiled.leaves.at(leaf);
    leaves.push_back({text.whole, verdict.value, compared_value(leaf, subject), verdict.holds_until, text.unit});
  }
  return leaves;
}

// The first time after `now` at which the answer is another; kNever when it stays.
Time next_turn(Time now, const std::function<Verdict(Time)>& ask) {
  Verdict verdict = ask(now);
  const bool value = verdict.value;
  for (size_t steps = 0; steps < kMaxWalkSteps && verdict.holds_until != kNever; ++steps) {
    const Time t = verdict.holds_until;
    verdict = ask(t);
    if (verdict.value != value) return t;
  }
  return kNever;
}

Explanation explain_move(const Compiled& compiled, const profile::Profile& profile, uint16_t index, Time now) {
  const Move& move = compiled.moves[index];
  // What an event of now would find: windows before the event end here.
  event::Event at_hand;
  at_hand.ts = now;
  Subject subject{.compiled = compiled, .profile = profile, .now = now, .event = move.on == 0 ? nullptr : &at_hand};
  Explanation explanation{.is_move = true, .index = index, .value = evaluate(move.when, subject).value, .leaves = explain_leaves(move.when, subject)};
  if (move.on != 0) return explanation;
  explanation.changes_at = next_turn(now, [&](Time t) {
    subject.now = t;
    return evaluate(move.when, subject);
  });
  return explanation;
}

Explanation explain_plain(const Compiled& compiled, const profile::Profile& profile, uint16_t index, Time now) {
  const Definition& definition = compiled.definitions[index];
  Subject subject{.compiled = compiled, .profile = profile, .now = now};
  const bool member = profile.members[index];
  Explanation explanation{
      .index = index, .value = evaluate(definition.when, subject).value, .member = member, .leaves = explain_leaves(definition.when, subject)};
  explanation.changes_at = next_turn(now, [&](Time t) {
    subject.now = t;
    return with_reentry(definition, evaluate(definition.when, subject), member, left_at(profile, index), t);
  });
  return explanation;
}

void explain_keys(const Compiled& compiled, const profile::Profile& profile, uint16_t index, Time now, std::vector<Explanation>& out) {
  const Definition& definition = compiled.definitions[index];
  const auto is_member = [&](uint64_t hash) {
    for (const profile::KeyedMember& member : profile.keyed_members)
      if (member.definition == index && member.key_hash == hash) return true;
    return false;
  };
  for (const profile::Interest& key : profile.interests[interest_index(definition.scope)]) {
    const bool member = is_member(key.hash);
    if (definition.kind == DefinitionKind::kTopTags) {
      if (member) out.push_back({.index = index, .key = definition.prefix + key.name + definition.suffix, .value = true, .member = true});
      continue;
    }
    Subject subject{.compiled = compiled, .profile = profile, .now = now, .key = &key, .scope = definition.scope};
    Explanation explanation{.index = index,
                            .key = key.name,
                            .value = evaluate(definition.when, subject).value,
                            .member = member,
                            .leaves = explain_leaves(definition.when, subject)};
    explanation.changes_at = next_turn(now, [&](Time t) {
      subject.now = t;
      return evaluate(definition.when, subject);
    });
    out.push_back(std::move(explanation));
  }
}

}  // namespace

std::vector<Explanation> explain(const Compiled& compiled, const profile::Profile& profile, Time now) {
  std::vector<Explanation> out;
  for (size_t i = 0; i < compiled.moves.size(); ++i)
    if (compiled.moves[i].from == profile.stage) out.push_back(explain_move(compiled, profile, static_cast<uint16_t>(i), now));
  for (size_t i = 0; i < compiled.definitions.size(); ++i) {
    const auto index = static_cast<uint16_t>(i);
    const DefinitionKind kind = compiled.definitions[i].kind;
    if (kind == DefinitionKind::kSegment || kind == DefinitionKind::kTag)
      out.push_back(explain_plain(compiled, profile, index, now));
    else
      explain_keys(compiled, profile, index, now, out);
  }
  return out;
}

}  // namespace segue::segment
