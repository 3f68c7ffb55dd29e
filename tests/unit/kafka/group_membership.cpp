// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/group_membership.h"

#include <gtest/gtest.h>

namespace segue::kafka {
namespace {

TEST(GroupMembership, OwnsWhatItWasGivenUntilItLeaves) {
  GroupMembership membership;
  EXPECT_FALSE(membership.owns(2));
  membership.joined({"metadata", 5, "member"}, {2, 3});
  EXPECT_TRUE(membership.owns(2));
  EXPECT_FALSE(membership.owns(4));
  EXPECT_EQ(membership.identity()->generation, 5);
  const uint64_t version = membership.version();
  membership.left();
  EXPECT_FALSE(membership.owns(2));
  EXPECT_EQ(membership.identity(), nullptr);
  EXPECT_GT(membership.version(), version);
}

// The group would take offsets from either.
TEST(GroupMembership, OwnsNothingWithoutGenerationOrMember) {
  GroupMembership membership;
  membership.joined({"metadata", -1, "member"}, {2});
  EXPECT_FALSE(membership.owns(2));
  membership.joined({"metadata", 5, ""}, {2});
  EXPECT_FALSE(membership.owns(2));
}

}  // namespace
}  // namespace segue::kafka
