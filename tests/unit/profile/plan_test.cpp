// SPDX-License-Identifier: Apache-2.0
#include "lib/profile/plan.h"

#include <gtest/gtest.h>

namespace segue::profile {
namespace {

using namespace std::chrono_literals;

TEST(Plan, TilesAreTheFinestThatFit) {
  EXPECT_EQ(tile_width_for(1h), 1min);
  EXPECT_EQ(tile_width_for(400min), 1min);
  EXPECT_EQ(tile_width_for(401min), 5min);
  EXPECT_EQ(tile_width_for(24h), 5min);
  EXPECT_EQ(tile_width_for(std::chrono::days{7}), 1h);
  EXPECT_EQ(tile_width_for(std::chrono::days{30}), 3h);
  EXPECT_EQ(tile_width_for(std::chrono::days{365}), 24h);
  EXPECT_EQ(tile_width_for(std::chrono::days{3650}), std::chrono::days{28});
}

TEST(Plan, InterestIndexSkipsTheUserScope) {
  EXPECT_EQ(interest_index(Scope::kCategory), 0U);
  EXPECT_EQ(interest_index(Scope::kItem), 2U);
}

}  // namespace
}  // namespace segue::profile
