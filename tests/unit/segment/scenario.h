// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lib/event/event.h"
#include "lib/profile/profile.h"
#include "lib/segment/definitions.h"

namespace segue::segment {

inline Definitions parse_or_die(std::string_view yaml) {
  auto parsed = Definitions::parse(yaml, "test.yaml");
  if (!parsed) ADD_FAILURE() << to_string(parsed.error());
  return parsed ? std::move(*parsed) : *Definitions::parse("version: 1", "empty.yaml");
}

// One user under one set of definitions, driven as a shard does it. Times are in seconds, so that expectations stay readable.
class Scenario {
 public:
  explicit Scenario(std::string_view yaml) : definitions(parse_or_die(yaml)) {}

  // Moves the clock, fires what is due, applies the event, evaluates. Gives the changes as text, one each: what happened @seconds cause.
  std::vector<std::string> send(event::Event event) {
    event.event_id = "e";
    high = std::max(high, event.ts);
    std::vector<std::string> told = fire(clock());
    changes.clear();
    if (forgetful) profile.holds_until.clear();
    profile::apply(profile, event, definitions.plan());
    definitions.on_event(profile, event, clock(), changes);
    EXPECT_GT(profile.deadline, clock());
    tell(told);
    return told;
  }
  std::vector<std::string> send(event::EventType type, double seconds, event::Item item = {.item_id = "i-1", .category = "c-1", .brand = "b-1"}) {
    return send({.type = type, .ts = at(seconds), .item = item});
  }
  // Fires the timers up to the time, as when other users' events move the clock.
  std::vector<std::string> wait_until(double seconds) {
    high = std::max(high, at(seconds) + definitions.plan().lateness);
    return fire(clock());
  }
  std::vector<std::string> fire(Time until) {
    std::vector<std::string> told;
    while (profile.deadline <= until) {
      const Time deadline = profile.deadline;
      ++fired;
      changes.clear();
      if (forgetful) profile.holds_until.clear();
      definitions.on_deadline(profile, deadline, changes);
      EXPECT_GT(profile.deadline, deadline);
      tell(told);
    }
    return told;
  }
  Time clock() const { return high - definitions.plan().lateness; }
  std::string stage() const { return definitions.stage_name(profile.stage); }

  static Time at(double seconds) { return time_from_ms(static_cast<int64_t>(seconds * 1000)); }
  static std::string print(Time t) {
    std::string text = std::to_string(to_ms(t) / 1000);
    if (to_ms(t) % 1000 != 0) text += "." + std::to_string(to_ms(t) % 1000);
    return text;
  }

  Definitions definitions;
  profile::Profile profile;
  std::vector<Change> changes;  // of the last evaluation
  std::vector<Change> history;  // of all
  Time high = time_from_ms(0);
  size_t fired = 0;
  bool forgetful = false;  // as if the profile were read from its page before each evaluation

 private:
  void tell(std::vector<std::string>& told) {
    constexpr std::array<std::string_view, 5> kKinds = {"", "+", "-", "+#", "-#"};
    constexpr std::array<std::string_view, 3> kCauses = {"event", "timer", "definitions"};
    history.insert(history.end(), changes.begin(), changes.end());
    for (const Change& change : changes) {
      std::string text(kKinds[static_cast<size_t>(change.kind)]);
      const bool top = change.kind != ChangeKind::kMoved && definitions.definition(change.index).kind == DefinitionKind::kTopTags;
      if (!top) text += change.kind == ChangeKind::kMoved ? definitions.move(change.index).name : definitions.definition(change.index).name;
      if (!change.key.empty()) text += top ? change.key : "[" + change.key + "]";
      text += " @" + print(change.at) + " " + std::string(kCauses[static_cast<size_t>(change.cause)]);
      told.push_back(std::move(text));
    }
  }
};

inline constexpr double kMinute = 60;
inline constexpr double kHour = 3600;
inline constexpr double kDay = 86'400;

using Told = std::vector<std::string>;

}  // namespace segue::segment
