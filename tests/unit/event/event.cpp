// SPDX-License-Identifier: Apache-2.0
#include "lib/event/event.h"

#include <gtest/gtest.h>

#include <array>

namespace segue::event {
namespace {

TEST(Event, WithoutItemHasNoLine) {
  const Event search{.type = EventType::kSearch};
  EXPECT_TRUE(search.lines().empty());
  EXPECT_EQ(search.total(), Money{0});
}

TEST(Event, SingleItemIsOneLine) {
  Event click;
  click.item.item_id = "i-1";
  ASSERT_EQ(click.lines().size(), 1U);
  EXPECT_EQ(click.lines()[0].item_id, "i-1");
}

TEST(Event, CategoryBrandOrPriceAloneIsALineToo) {
  Event by_category, by_brand, by_price;
  by_category.item.category = "女装";
  by_brand.item.brand = "b-1";
  by_price.item.price = Money{1};
  EXPECT_EQ(by_category.lines().size(), 1U);
  EXPECT_EQ(by_brand.lines().size(), 1U);
  EXPECT_EQ(by_price.lines().size(), 1U);
}

TEST(Event, TotalIsPriceTimesQuantityOverAllLines) {
  const std::array<Item, 2> items{Item{.item_id = "i-1", .price = Money{129'900'000}, .quantity = 2},
                                  Item{.item_id = "i-2", .price = Money{100'000}, .quantity = 3}};
  Event purchase{.type = EventType::kPurchase};
  purchase.item.price = Money{7};
  EXPECT_EQ(purchase.total(), Money{7});
  purchase.items = items;
  EXPECT_EQ(purchase.lines().size(), 2U);
  EXPECT_EQ(purchase.total(), Money{260'100'000}) << "several lines take the place of the single one";
}

}  // namespace
}  // namespace segue::event
