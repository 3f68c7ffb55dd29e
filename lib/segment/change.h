// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "lib/base/time.h"
#include "lib/profile/profile.h"

namespace segue::segment {

enum class ChangeKind : uint8_t { kMoved, kEntered, kLeft, kTagged, kUntagged };

// One change of a user's stage, segments or tags, with what decided it.
struct Change {
  ChangeKind kind = ChangeKind::kMoved;
  uint16_t index = 0;  // of the move (kMoved), else of the definition
  uint8_t from = 0;    // kMoved: stages
  uint8_t to = 0;
  bool announce = true;  // whether the definitions want it told downstream
  profile::Cause cause = profile::Cause::kEvent;
  Time at = kNoTime;  // ts of the event, or the moment at which the condition turned
  // Keyed segments: the category, brand or item. Top tags: the whole tag, such as "cat:c-17". Empty otherwise.
  std::string key;
  // Left-hand values of the deciding condition in the order of its text (profile::PastMove::compared): times and durations in ms, conditions as
  // 1 and 0, NaN where the value is not known. What each one is called: Definitions::compared_names().
  uint8_t compared_count = 0;
  std::array<double, profile::kMaxCompared> compared = {};
};

}  // namespace segue::segment
