// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace segue::segment {
namespace {

TEST(Vocabulary, TheSameWordMayBeTheKeysOrTheUsers) {
  EXPECT_EQ(find_word("last_purchase", About::kUser)->measure, Measure::kLastPurchase);
  EXPECT_EQ(find_word("last_purchase", About::kKey)->measure, Measure::kKeyLastPurchase);
  EXPECT_EQ(find_word("user.last_purchase", About::kUser)->measure, Measure::kLastPurchase);
  EXPECT_EQ(find_word("user.last_purchase", About::kKey), nullptr);
  EXPECT_EQ(find_word("nothing", About::kUser), nullptr);
}

TEST(Vocabulary, EveryEventTypeChangesWhatWasLastSeen) {
  for (size_t i = 0; i < event::kEventTypes; ++i) EXPECT_TRUE(find_word("last_seen", About::kUser)->inputs & bit(static_cast<event::EventType>(i)));
}

TEST(Vocabulary, HoldsEveryEventTypeAndNoEmptyWord) {
  const auto& all = vocabulary();
  for (const std::string_view type : event::kEventTypeNames) EXPECT_NE(std::find(all.begin(), all.end(), type), all.end()) << type;
  EXPECT_EQ(std::find(all.begin(), all.end(), ""), all.end());
}

TEST(Vocabulary, TypesAreDescribedInOrder) {
  EXPECT_EQ(describe(Type::kCondition), "a condition");
  EXPECT_EQ(describe(Type::kStage), "the stage");
}

TEST(Vocabulary, ScopesAndPlainTraits) {
  EXPECT_EQ(find_scope("brand"), profile::Scope::kBrand);
  EXPECT_EQ(find_scope("user"), std::nullopt);
  EXPECT_TRUE(is_plain_trait("birthday"));
  EXPECT_FALSE(is_plain_trait("city"));
}

}  // namespace
}  // namespace segue::segment
