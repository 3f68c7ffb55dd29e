// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/tracking_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::codec {
namespace {

using event::EventType;

TEST(TrackingNames, KnowsTheCommerceEvents) {
  const TrackingNames names;
  EXPECT_EQ(names.find("Order Completed"), EventType::kPurchase);
  EXPECT_EQ(names.find("Product Added"), EventType::kCart);
  EXPECT_EQ(names.find("Product Removed from Wishlist"), std::nullopt);
  EXPECT_EQ(names.find(""), std::nullopt);
  EXPECT_EQ(names.find(std::string(1000, 'x')), std::nullopt);
}

TEST(TrackingNames, CaseAndUnderscoresDoNotMatter) {
  const TrackingNames names;
  EXPECT_EQ(names.find("product_added"), EventType::kCart);
  EXPECT_EQ(names.find("ORDER completed"), EventType::kPurchase);
  EXPECT_EQ(names.find("OrderCompleted"), std::nullopt);
}

TEST(TrackingNames, ATableAddsReplacesAndTakesAway) {
  TrackingNames names;
  ASSERT_TRUE(names.set_all({{"领取优惠券", "coupon_redeem"}, {"Product_Viewed", "click"}, {"Promotion Clicked", "none"}, {"Unheard Of", "none"}}));
  EXPECT_EQ(names.find("领取优惠券"), EventType::kCouponRedeem);
  EXPECT_EQ(names.find("Product Viewed"), EventType::kClick);
  EXPECT_EQ(names.find("promotion clicked"), std::nullopt);
}

TEST(TrackingNames, AWriteKeyCannotEraseOrIdentifyByName) {
  TrackingNames names;
  for (const char* type : {"delete", "identify", "buy", ""}) {
    const auto set = names.set("Account Deleted", type);
    ASSERT_FALSE(set) << type;
    EXPECT_EQ(set.error().kind, ErrorClass::kUsage);
    EXPECT_THAT(set.error().message, testing::HasSubstr("Account Deleted"));
  }
  EXPECT_FALSE(names.set("", "view"));
  EXPECT_FALSE(names.set(std::string(129, 'n'), "view"));
}

}  // namespace
}  // namespace segue::codec
