// SPDX-License-Identifier: Apache-2.0
#include "lib/event/event_type.h"

#include <gtest/gtest.h>

#include <set>

namespace segue::event {
namespace {

TEST(EventType, EveryTypeIsFoundByItsName) {
  for (size_t i = 0; i < kEventTypes; ++i) {
    const auto type = static_cast<EventType>(i);
    EXPECT_FALSE(name(type).empty());
    EXPECT_EQ(find_event_type(name(type)), type);
  }
  EXPECT_EQ(std::set(kEventTypeNames.begin(), kEventTypeNames.end()).size(), kEventTypes);
}

// Stored in pages and protobuf messages: a type keeps its number.
TEST(EventType, NumbersNeverChange) {
  EXPECT_EQ(index(EventType::kView), 0U);
  EXPECT_EQ(index(EventType::kCart), 3U);
  EXPECT_EQ(index(EventType::kPurchase), 7U);
  EXPECT_EQ(index(EventType::kIdentify), 11U);
  EXPECT_EQ(index(EventType::kDelete), 16U);
  EXPECT_EQ(name(EventType::kPurchase), "purchase");
  EXPECT_EQ(name(EventType::kMessageClicked), "message_clicked");
}

TEST(EventType, OtherNamesAreNone) {
  EXPECT_FALSE(find_event_type(""));
  EXPECT_FALSE(find_event_type("Purchase"));
  EXPECT_FALSE(find_event_type("purchase "));
  EXPECT_FALSE(find_event_type("购买"));
}

}  // namespace
}  // namespace segue::event
