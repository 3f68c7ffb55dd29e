// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/base/time.h"
#include "lib/segment/syntax.h"

namespace segue::segment {

// A condition's value, and the time until which it holds: without new events it is the same at every time from now up to, not including, this one.
// It may turn later than that, never earlier. For every time in between evaluation gives the same holds_until, so that it does not matter whether a
// verdict was kept or is computed again.
struct Verdict {
  bool value = false;
  Time holds_until = kNever;
};

bool holds(Comparison comparison, double a, double b);

// Compares base + slope x t (t in ms since 1970) with zero at `now`. holds_until is the exact first millisecond at which an ordering turns; an
// equality may be looked at once before it turns.
Verdict compare_linear(Comparison comparison, double base, double slope, Time now);

}  // namespace segue::segment
