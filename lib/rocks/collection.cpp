// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/collection.h"

#include <algorithm>

namespace segue::rocks {

void Collection::sort() {
  std::sort(index_.begin(), index_.end(), [](const Entry& a, const Entry& b) {
    const auto order = a.key <=> b.key;
    return order != 0 ? order < 0 : a.number > b.number;
  });
}

}  // namespace segue::rocks
