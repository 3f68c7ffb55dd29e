// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/base/time.h"
#include "lib/event/event.h"
#include "lib/profile/profile.h"
#include "lib/segment/crossing.h"
#include "lib/segment/program.h"

namespace segue::segment {

// Whom and when a condition is asked about. `event` only for moves on events, `key` only for keyed segments.
struct Subject {
  const Compiled& compiled;
  const profile::Profile& profile;
  Time now;
  const event::Event* event = nullptr;
  const profile::Interest* key = nullptr;
  profile::Scope scope = profile::Scope::kUser;
};

Verdict evaluate(uint32_t root, const Subject& subject);
// An absent condition is true for ever.
inline Verdict evaluate(const Condition& condition, const Subject& subject) {
  return condition.root == kNoCondition ? Verdict{true, kNever} : evaluate(condition.root, subject);
}

// The leaves of a condition in the order of its text.
std::vector<uint32_t> leaves_of(const Compiled& compiled, uint32_t root);
// The left-hand value of a leaf (Change::compared).
double compared_value(uint32_t leaf, const Subject& subject);

}  // namespace segue::segment
