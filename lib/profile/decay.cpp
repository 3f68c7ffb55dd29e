// SPDX-License-Identifier: Apache-2.0
#include "lib/profile/decay.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace segue::profile {
namespace {

constexpr double kLn2 = 0.693147180559945309417232121458;
constexpr int kSteps = 64;

constexpr double taylor_exp(double y) {
  double sum = 1;
  for (int i = 24; i >= 1; --i) sum = 1 + sum * y / i;
  return sum;
}

constexpr std::array<double, kSteps> kPowers = [] {
  std::array<double, kSteps> powers{};
  for (int i = 0; i < kSteps; ++i) powers[static_cast<size_t>(i)] = taylor_exp(kLn2 * i / kSteps);
  return powers;
}();

// 2^exponent for a normal result.
double power_of_two(int exponent) { return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52); }

// 2^(d / half_life). Whole half-lives go into the exponent, so that weights a whole number of half-lives apart have exactly their ratio: twice the
// weight one half-life earlier is a tie, not a matter of the last bit.
double power(Duration d, Duration half_life) {
  int64_t whole = d / half_life;
  Duration rest = d % half_life;
  if (rest < Duration{0}) rest += half_life, --whole;
  constexpr int64_t kMost = 4096;  // far beyond a double's range
  const double fraction = exact_exp2(static_cast<double>(rest.count()) / static_cast<double>(half_life.count()));
  // Exactly what ldexp gives, while neither the factor nor the result leaves the normal numbers.
  if (whole > -1000 && whole < 1000) return fraction * power_of_two(static_cast<int>(whole));
  return std::ldexp(fraction, static_cast<int>(std::clamp(whole, -kMost, kMost)));
}

}  // namespace

double exact_exp2(double x) {
  if (x < -1000) return 0;
  if (x > 1000) x = 1000;
  const double whole = std::floor(x);
  const double fraction = x - whole;
  const int step = static_cast<int>(fraction * kSteps);
  const double y = (fraction - static_cast<double>(step) / kSteps) * kLn2;  // below ln2 / 64
  const double tail = 1 + y * (1 + y * (1.0 / 2 + y * (1.0 / 6 + y * (1.0 / 24 + y * (1.0 / 120 + y / 720)))));
  return kPowers[static_cast<size_t>(step)] * tail * power_of_two(static_cast<int>(whole));
}

double landmark_weight(Time t, Time landmark, Duration half_life) { return power(t - landmark, half_life); }

double weight_at(double stored, Time now, Time landmark, Duration half_life) { return stored * power(landmark - now, half_life); }

Time landmark_for(Time t, Duration half_life) {
  const int64_t ms = to_ms(t);
  const int64_t rest = ms % half_life.count();
  return time_from_ms(ms - (rest < 0 ? rest + half_life.count() : rest));
}

Time time_of_fall(double stored, double threshold, Time now, Time landmark, Duration half_life) {
  if (weight_at(stored, now, landmark, half_life) <= threshold) return now;
  if (threshold <= 0) return kNever;
  // log2 only says where to look; the answer is decided by weight_at, so that libm's last bit cannot move it.
  const double guess = std::log2(stored / threshold) * static_cast<double>(half_life.count());
  if (!(guess < 1e17)) return kNever;
  Time low = now;  // above the threshold here
  Time high = std::max(now, landmark + Duration{static_cast<int64_t>(guess)}) + Duration{1};
  for (Duration step{1}; weight_at(stored, high, landmark, half_life) > threshold; step *= 2) low = high, high += step;
  while (high - low > Duration{1}) {
    const Time middle = low + (high - low) / 2;
    (weight_at(stored, middle, landmark, half_life) > threshold ? low : high) = middle;
  }
  return high;
}

}  // namespace segue::profile
