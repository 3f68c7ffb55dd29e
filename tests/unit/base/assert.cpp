// SPDX-License-Identifier: Apache-2.0
#include "lib/base/assert.h"

#include <gtest/gtest.h>

namespace segue {
namespace {

TEST(Assert, BrokenPromiseAbortsAndSaysWhere) {
  EXPECT_DEATH(SEGUE_ASSERT(1 + 1 == 3), "segue: assertion failed: 1 \\+ 1 == 3 \\(.*assert\\.cpp:[0-9]+\\)");
}

TEST(Assert, ConditionIsEvaluatedOnce) {
  int calls = 0;
  SEGUE_ASSERT(++calls == 1);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace segue
