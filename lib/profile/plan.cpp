// SPDX-License-Identifier: Apache-2.0
#include "lib/profile/plan.h"

namespace segue::profile {

Duration tile_width_for(Duration length) {
  using std::chrono::days;
  using std::chrono::hours;
  using std::chrono::minutes;
  for (const Duration width : {Duration{minutes{1}}, Duration{minutes{5}}, Duration{minutes{15}}, Duration{hours{1}}, Duration{hours{3}},
                               Duration{hours{6}}, Duration{hours{12}}, Duration{days{1}}, Duration{days{7}}})
    if (length / width <= kMaxTiles) return width;
  return days{28};
}

}  // namespace segue::profile
