// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "services/tools/generate/generate.h"

namespace segue::generate {
namespace {

// x^-1.05 for x = 1, 2, …: 1 / (x times the twentieth root of x). The root is two square roots of the fifth root, which Newton's method
// finds from the one before; eight steps settle even from 1 to 2, two from then on.
class Weights {
 public:
  double next() {
    x_ += 1;
    for (int i = x_ < 64 ? 8 : 2; i > 0; --i) {
      const double square = root_ * root_;
      root_ = (4 * root_ + x_ / (square * square)) / 5;
    }
    return 1 / (x_ * std::sqrt(std::sqrt(root_)));
  }

 private:
  double x_ = 0;
  double root_ = 1;
};

}  // namespace

// The alias method (Walker, Vose): every place is filled up to the average by one place that has more. The shares fall with the rank, so two
// places that walk through them do without stacks: one over the rich, one over the poor; a rich one that has given too much is the next poor.
Zipf::Zipf(uint32_t n) : slots_(n) {
  std::vector<double> share(n);
  double sum = 0;
  Weights weights;
  for (double& weight : share) sum += weight = weights.next();
  uint32_t rich_end = 0;
  for (uint32_t k = 0; k < n; ++k) {
    share[k] = share[k] / sum * n;
    slots_[k].alias = k;
    if (share[k] >= 1) rich_end = k + 1;
  }
  uint32_t next_poor = rich_end;
  uint32_t poor = next_poor++;
  for (uint32_t rich = 0; rich < rich_end && poor < n;) {
    slots_[poor] = {static_cast<uint32_t>(std::max(share[poor], 0.0) * 0x1p32), rich};
    share[rich] -= 1 - share[poor];
    poor = share[rich] < 1 ? rich++ : next_poor++;
  }
}

}  // namespace segue::generate
