// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/base/time.h"

namespace segue::profile {

// 2^x by a table and a polynomial of our own, so that every build and machine gives the same bits (libm may not). Relative error below
// 1e-15. Zero below -1000, the value at 1000 above it.
double exact_exp2(double x);

// A weight of 1 at `t`, as seen from the landmark: 2^((t - landmark) / half_life). Forward decay (Cormode et al., ICDE 2009): weights are
// stored against a fixed landmark and only divided out when read, so that an event costs one power and a late one comes out right.
double landmark_weight(Time t, Time landmark, Duration half_life);

// What a stored weight is worth at `now`: stored x 2^(-(now - landmark) / half_life).
double weight_at(double stored, Time now, Time landmark, Duration half_life);

// The largest multiple of half_life at or before `t`: moving a landmark by whole half-lives scales by powers of two, which is exact.
Time landmark_for(Time t, Duration half_life);

// The first millisecond after `now` at which weight_at(stored, …) is at or below `threshold`; kNever when it never is (threshold <= 0), `now` + 1 ms
// or earlier never: when it already is at or below at `now`, returns `now`.
Time time_of_fall(double stored, double threshold, Time now, Time landmark, Duration half_life);

}  // namespace segue::profile
