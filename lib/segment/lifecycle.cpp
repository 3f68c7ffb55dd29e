// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "lib/segment/step.h"
#include "lib/segment/vocabulary.h"

namespace segue::segment {

using profile::Cause;
using profile::PastMove;

void fill_compared(const Condition& condition, const Subject& subject, uint8_t& count, std::array<double, profile::kMaxCompared>& compared) {
  count = 0;
  for (const uint32_t leaf : leaves_of(subject.compiled, condition.root)) {
    if (count == compared.size()) return;
    compared[count++] = compared_value(leaf, subject);
  }
}

void Step::run() {
  const size_t definitions = compiled_.definitions.size();
  all_ = profile_.holds_until.size() != compiled_.held_values || cause_ == Cause::kDefinitions;
  if (all_) profile_.holds_until.assign(compiled_.held_values, kNoTime);
  step_lifecycle();
  const uint32_t type = event_ == nullptr ? 0 : bit(event_->type);
  for (size_t i = 0; i < definitions; ++i)
    if (all_ || (compiled_.inputs[i] & type) != 0 || profile_.holds_until[i] <= now_ || (moved_ && compiled_.uses_stage[i] != 0))
      step_definition(static_cast<uint16_t>(i));
  const auto first = profile_.holds_until.begin();
  profile_.deadline = *std::min_element(first, first + static_cast<std::ptrdiff_t>(definitions) + 1);
}

void Step::step_lifecycle() {
  if (event_ != nullptr && take_event_move()) {
    lifecycle_until() = walk(std::min(event_->ts, now_), std::nullopt);
    return;
  }
  const bool touched = event_ != nullptr && (compiled_.time_inputs[profile_.stage] & bit(event_->type)) != 0;
  if (!all_ && !touched && lifecycle_until() > now_) return;
  Time until = kNever;
  if (!due_move(now_, until)) {
    lifecycle_until() = until;
    return;
  }
  // True at the clock. A late event may have made it so earlier: walk there from the event's time.
  if (event_ == nullptr)
    lifecycle_until() = walk(now_, std::nullopt);
  else
    lifecycle_until() = walk(std::min(event_->ts, now_), event_->ts);
}

bool Step::take_event_move() {
  for (const uint16_t index : compiled_.event_moves[profile_.stage]) {
    const Move& move = compiled_.moves[index];
    if ((move.on & bit(event_->type)) == 0) continue;
    Subject asked = subject(now_);
    asked.event = event_;
    if (!evaluate(move.when, asked).value) continue;
    take(index, now_, {event_->ts, Cause::kEvent});
    return true;
  }
  return false;
}

// True when the user has had so many time moves that the next has to wait, until `until`.
bool Step::rests(Time t, Time& until) const {
  const auto& past = profile_.past_moves;
  if (past.size() < kMovesBeforeRest) return false;
  Time first = kNever;
  for (const PastMove& move : past) {
    if (move.cause == Cause::kEvent) return false;
    first = std::min(first, move.at);
  }
  if (first <= t - kRestWindow) return false;
  until = first + kRestWindow;
  return true;
}

// The first time move of the present stage whose condition is true at `t`. None: `until` says how long that stays.
std::optional<uint16_t> Step::due_move(Time t, Time& until) const {
  until = kNever;
  for (const uint16_t index : compiled_.time_moves[profile_.stage]) {
    const Verdict verdict = evaluate(compiled_.moves[index].when, subject(t));
    if (verdict.value) return rests(t, until) ? std::nullopt : std::optional(index);
    until = std::min(until, verdict.holds_until);
  }
  return std::nullopt;
}

// Takes every time move due from `t` up to now, each at the moment at which its condition turned. A move that is due at once happened at `first_at`,
// by the event, where that is given. Returns until when the stage then reached stays.
Time Step::walk(Time t, std::optional<Time> first_at) {
  for (size_t steps = 0;; ++steps) {
    Time until = kNever;
    if (const auto move = due_move(t, until)) {
      if (first_at)
        take(*move, t, {*first_at, Cause::kEvent});
      else
        take(*move, t, {t, cause_ == Cause::kDefinitions ? cause_ : Cause::kTimer});
      first_at.reset();
      continue;
    }
    if (until > now_) return until;
    first_at.reset();
    t = steps < kMaxWalkSteps ? until : now_;
  }
}

// `t` is the moment of which the condition was asked, for the values compared.
void Step::take(uint16_t index, Time t, Turn turn) {
  const Move& move = compiled_.moves[index];
  Subject asked = subject(t);
  if (move.on != 0) asked.event = event_;
  PastMove past{.at = turn.at, .move = index, .from = move.from, .to = move.to, .cause = turn.cause};
  fill_compared(move.when, asked, past.compared_count, past.compared);
  if (turn.cause == Cause::kEvent) past.event_id = event_->event_id;
  Change change{
      .kind = ChangeKind::kMoved, .index = index, .from = move.from, .to = move.to, .announce = move.announce, .cause = turn.cause, .at = turn.at};
  change.compared_count = past.compared_count;
  change.compared = past.compared;
  out_.push_back(std::move(change));
  profile_.stage = move.to;
  profile_.stage_since = turn.at;
  if (profile_.past_moves.size() == profile::kMaxPastMoves) profile_.past_moves.erase(profile_.past_moves.begin());
  profile_.past_moves.push_back(std::move(past));
  moved_ = turn;
}

}  // namespace segue::segment
