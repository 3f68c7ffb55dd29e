// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/definitions.h"

#include <gtest/gtest.h>

namespace segue::segment {
namespace {

TEST(Definitions, TheDefaultParses) {
  const auto parsed = Definitions::parse(default_definitions(), "reference.yaml");
  ASSERT_TRUE(parsed.has_value()) << to_string(parsed.error());
  EXPECT_EQ(parsed->moves().size(), 8u);
}

}  // namespace
}  // namespace segue::segment
