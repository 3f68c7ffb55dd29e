// SPDX-License-Identifier: Apache-2.0
#include "lib/base/result.h"

#include <gtest/gtest.h>

namespace segue {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorClass::kData, "odd number");
  return number / 2;
}

Result<> run(int number, bool& reached_the_end) {
  SEGUE_TRY(half(number));
  reached_the_end = true;
  return {};
}

TEST(Result, ErrorIsHandedUpWithItsClass) {
  bool reached = false;
  const Result<> result = run(3, reached);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorClass::kData);
  EXPECT_EQ(result.error().message, "odd number");
  EXPECT_FALSE(reached);
}

TEST(Result, SuccessGoesOn) {
  bool reached = false;
  EXPECT_TRUE(run(4, reached));
  EXPECT_TRUE(reached);
}

}  // namespace
}  // namespace segue
