// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/crossing.h"

#include <algorithm>

namespace segue::segment {
namespace {

// The first whole t after `now` at which base + slope x t compares so with zero; kNever when there is none. Requires slope != 0 and that the
// comparison, an ordering towards which the sum moves, does not hold at `now`.
Time first_time(Comparison comparison, double base, double slope, Time now) {
  const double root = -base / slope;
  if (!(root < static_cast<double>(to_ms(kLatestTime)) * 4)) return kNever;
  const auto at = [&](int64_t t) { return holds(comparison, base + slope * static_cast<double>(t), 0); };
  int64_t low = to_ms(now);  // does not hold here
  int64_t high = static_cast<int64_t>(std::max(static_cast<double>(low + 1), root));
  for (int64_t step = 1; !at(high); step *= 2) {
    if (high > to_ms(kLatestTime) * 8) return kNever;
    low = high, high += step;
  }
  // The root is a few ms off at most, so that looking just below it saves most of the halving.
  if (high - low > 8 && !at(high - 8)) low = high - 8;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (at(middle) ? high : low) = middle;
  }
  return time_from_ms(high);
}

}  // namespace

bool holds(Comparison comparison, double a, double b) {
  switch (comparison) {
    case Comparison::kEqual:
      return a == b;
    case Comparison::kNotEqual:
      return a != b;
    case Comparison::kLess:
      return a < b;
    case Comparison::kLessEqual:
      return a <= b;
    case Comparison::kGreater:
      return a > b;
    case Comparison::kGreaterEqual:
      return a >= b;
  }
  return false;
}

Verdict compare_linear(Comparison comparison, double base, double slope, Time now) {
  const double difference = base + slope * static_cast<double>(to_ms(now));
  Verdict verdict{holds(comparison, difference, 0), kNever};
  if (slope == 0) return verdict;
  const bool rises = slope > 0;
  // Where the sum goes next: up to zero, or past it. Equality may turn at both places.
  const bool before_zero = rises ? difference < 0 : difference > 0;
  const bool at_zero = difference == 0;
  const Comparison reach = rises ? Comparison::kGreaterEqual : Comparison::kLessEqual;
  const Comparison pass = rises ? Comparison::kGreater : Comparison::kLess;
  if (!before_zero && !at_zero) return verdict;
  const bool turns_at_zero = before_zero && holds(comparison, 0, 0) != verdict.value;
  const bool turns_past_zero = holds(comparison, rises ? 1 : -1, 0) != verdict.value;
  if (turns_at_zero)
    verdict.holds_until = first_time(reach, base, slope, now);
  else if (turns_past_zero)
    verdict.holds_until = first_time(pass, base, slope, now);
  return verdict;
}

}  // namespace segue::segment
