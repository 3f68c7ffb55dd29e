// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "lib/segment/evaluate.h"

namespace segue::segment {

// Time moves that may be taken within kRestWindow. A file whose conditions chase each other in a circle would otherwise move without end; the next
// move waits until the window has passed. Equal to kMaxPastMoves, so that the page alone says whether a user has to wait.
inline constexpr size_t kMovesBeforeRest = profile::kMaxPastMoves;
inline constexpr Duration kRestWindow = std::chrono::days{1};
// A walk from a late event's time to the clock looks at no more moments than this, then at the clock alone.
inline constexpr size_t kMaxWalkSteps = 1000;
// The most keys of one table that settings can ask to remember.
inline constexpr size_t kMaxKeys = 256;

// One evaluation of a profile's lifecycle, segments and tags: after an event, at a deadline, or when definitions come into force.
class Step {
 public:
  // `event` is null at deadlines and activations.
  Step(const Compiled& compiled, profile::Profile& profile, Time now, const event::Event* event, profile::Cause cause, std::vector<Change>& out)
      : compiled_(compiled), profile_(profile), now_(now), event_(event), cause_(cause), out_(out) {}

  void run();

 private:
  // When and why something turned.
  struct Turn {
    Time at;
    profile::Cause cause;
  };
  using Ask = std::function<Verdict(Time)>;

  // lifecycle.cpp
  void step_lifecycle();
  bool take_event_move();
  std::optional<uint16_t> due_move(Time t, Time& until) const;
  Time walk(Time t, std::optional<Time> first_at);
  void take(uint16_t move, Time t, Turn turn);
  bool rests(Time t, Time& until) const;

  // memberships.cpp
  void step_definition(uint16_t index);
  Verdict allowed(uint16_t index, const Subject& subject) const;
  void step_plain(uint16_t index);
  void step_keyed(uint16_t index);
  // The places of the keys that the event names.
  const std::bitset<kMaxKeys>& named(profile::Scope scope);
  bool top_stays(uint16_t index) const;
  void step_top(uint16_t index);
  void set_plain(uint16_t index, bool member);
  void add_key(uint16_t index, const profile::Interest& key, const Turn& turn, const Subject* subject);
  void tell(ChangeKind kind, uint16_t index, const Turn& turn, std::string key, const Subject* subject);
  Turn turning_point(bool uses_stage, bool value, const Ask& ask) const;

  Subject subject(Time t) const { return {.compiled = compiled_, .profile = profile_, .now = t}; }
  Time& lifecycle_until() { return profile_.holds_until[compiled_.definitions.size()]; }

  const Compiled& compiled_;
  profile::Profile& profile_;
  Time now_;
  const event::Event* event_;
  profile::Cause cause_;
  std::vector<Change>& out_;
  bool all_ = false;           // nothing is known: evaluate all
  std::optional<Turn> moved_;  // the last move of this step
  std::array<std::optional<std::bitset<kMaxKeys>>, profile::kInterestScopes> named_;
};

// Left-hand values of a condition's first leaves, as of the subject.
void fill_compared(const Condition& condition, const Subject& subject, uint8_t& count, std::array<double, profile::kMaxCompared>& compared);
// Whether a user who left at `left` (kNoTime: never) may be in a segment whose condition gives `condition`, in the face of its re-entry rule.
Verdict with_reentry(const Definition& definition, Verdict condition, bool member, Time left, Time now);
// All of Definitions::explain().
std::vector<Explanation> explain(const Compiled& compiled, const profile::Profile& profile, Time now);
Time left_at(const profile::Profile& profile, uint16_t definition);

}  // namespace segue::segment
