// SPDX-License-Identifier: Apache-2.0
#include "lib/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace segue {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "segue: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace segue
