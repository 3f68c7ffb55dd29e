// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "lib/segment/compiler.h"
#include "lib/segment/evaluate.h"
#include "tests/unit/segment/scenario.h"

namespace segue::segment {
namespace {

using event::EventType;

// The value of an expression, read off as the left-hand value of a comparison.
class Values : public ::testing::Test {
 protected:
  double value(std::string_view expression, double seconds = 0, const event::Event* event = nullptr) {
    const std::string text = std::string(expression) + " > " + std::string(limit);
    const auto syntax = parse_expression(text);
    EXPECT_TRUE(syntax.has_value()) << text;
    const auto condition = compiler.compile(*syntax, text, {.event = event != nullptr});
    EXPECT_TRUE(condition.has_value()) << condition.error().message;
    if (!condition) return 0;
    return compared_value(condition->root, {.compiled = compiled, .profile = profile, .now = Scenario::at(seconds), .event = event});
  }

  std::string_view limit = "1";
  Compiled compiled;
  Compiler compiler{compiled};
  profile::Profile profile;
};

TEST_F(Values, ArithmeticIsFoldedOrComputed) {
  EXPECT_EQ(value("1 + 2 * 3 - 4 / 8"), 6.5);
  profile.orders = 4;
  profile.spend = Money{129'900'000};
  EXPECT_EQ(value("spend / orders"), 129.9 / 4);
  EXPECT_EQ(value("-orders + 1"), -3);
  EXPECT_TRUE(std::isnan(value("spend / refunded")));
}

TEST_F(Values, TimesAndDurationsAreMilliseconds) {
  profile.last_purchase = Scenario::at(100);
  profile.first_seen = Scenario::at(40);
  limit = "1d";
  EXPECT_EQ(value("since(last_purchase)", 160), 60'000);
  EXPECT_EQ(value("last_purchase - first_seen"), 60'000);
  EXPECT_EQ(value("2 * (last_purchase - first_seen) + 1s"), 121'000);
  EXPECT_TRUE(std::isnan(value("since(last_seen)", 160)));
  limit = "1";
  EXPECT_NEAR(value("since(last_purchase) / (last_purchase - first_seen)", 130), 0.5, 1e-9);
  limit = "2024-01-01";
  EXPECT_EQ(value("last_purchase + 1d"), 86'500'000);
}

TEST_F(Values, TheCalendarIsTheLocalOne) {
  compiled.calendar = *LocalCalendar::load("Asia/Shanghai");
  // 2024-05-31 16:00Z is Saturday 1 June in Shanghai.
  EXPECT_EQ(value("weekday", 1717171200), 6);
  EXPECT_EQ(value("month", 1717171200), 6);
  EXPECT_EQ(value("day_of_month", 1717171200), 1);
  EXPECT_EQ(value("month", 1717171199), 5);
}

TEST_F(Values, AnEventOfSeveralLinesHasTheirLargestPriceAndTheirSums) {
  const std::array<event::Item, 2> lines = {
      {{.category = "a", .price = Money{3'000'000}, .quantity = 2}, {.category = "b", .price = Money{5'000'000}}}};
  const event::Event event{.type = EventType::kPurchase, .channel = "app", .items = lines};
  EXPECT_EQ(value("event.price", 0, &event), 5);
  EXPECT_EQ(value("event.total", 0, &event), 11);
  EXPECT_EQ(value("event.quantity", 0, &event), 3);
  EXPECT_TRUE(std::isnan(value("event.rating", 0, &event)));
}

TEST_F(Values, TextsOfAnEventAreThoseOfAnyLine) {
  const std::array<event::Item, 2> lines = {{{.category = "a"}, {.category = "b"}}};
  const event::Event event{.type = EventType::kPurchase, .channel = "app", .items = lines};
  const auto holds = [&](std::string_view text) {
    const auto condition = compiler.compile(*parse_expression(text), text, {.event = true});
    return evaluate(*condition, {.compiled = compiled, .profile = profile, .now = Scenario::at(0), .event = &event}).value;
  };
  EXPECT_TRUE(holds("event.category = \"b\""));
  EXPECT_FALSE(holds("event.category != \"b\""));
  EXPECT_TRUE(holds("event.category != \"c\""));
  EXPECT_TRUE(holds("event.channel in (\"web\", \"app\")"));
  EXPECT_FALSE(holds("event.brand != \"x\""));
  EXPECT_TRUE(holds("event.brand is unknown and event.channel contains \"pp\""));
}

TEST_F(Values, TheOldestLineOfTheCartIsTheOldestByItsTime) {
  profile.cart = {{1, Scenario::at(50), "a"}, {2, Scenario::at(20), "b"}};
  limit = "1d";
  EXPECT_EQ(value("since(cart_oldest)", 60), 40'000);
}

}  // namespace
}  // namespace segue::segment
