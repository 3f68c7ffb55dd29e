// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/compiler.h"

#include <gtest/gtest.h>

#include "lib/segment/evaluate.h"

namespace segue::segment {
namespace {

using event::EventType;

class CompilerTest : public ::testing::Test {
 protected:
  Condition compile(std::string_view text, const Setting& setting = {}) {
    const auto syntax = parse_expression(text);
    EXPECT_TRUE(syntax.has_value());
    const auto condition = compiler.compile(*syntax, text, setting);
    EXPECT_TRUE(condition.has_value()) << condition.error().message;
    return condition.value_or(Condition{});
  }

  Compiled compiled;
  Compiler compiler{compiled};
};

TEST_F(CompilerTest, ConditionsKnowWhichEventsCanChangeThem) {
  EXPECT_EQ(compile("orders >= 1").inputs, bit(EventType::kPurchase));
  EXPECT_EQ(compile("count(click, 7d before now) > 1 or refunded > 0").inputs, bit(EventType::kClick) | bit(EventType::kRefund));
  EXPECT_EQ(compile("gender = \"f\"").inputs, bit(EventType::kIdentify));
  EXPECT_EQ(compile("weekday = 1").inputs, 0u);
  EXPECT_EQ(compile("since(last_seen) > 1d").inputs, kEveryType);
  EXPECT_EQ(compile("affinity(item, \"i\") > 1").inputs,
            bit(EventType::kView) | bit(EventType::kClick) | bit(EventType::kCart) | bit(EventType::kPurchase));
}

TEST_F(CompilerTest, OfAKeyOnlyWhatAllKeysShareIsAskedOfAll) {
  const Setting item{.scope = profile::Scope::kItem};
  EXPECT_EQ(compile("views >= 1", item).shared_inputs, 0u);
  EXPECT_NE(compile("views >= 1", item).inputs, 0u);
  EXPECT_EQ(compile("views >= 1 and orders > 1", item).shared_inputs, bit(EventType::kPurchase));
  EXPECT_NE(compile("share >= 0.5", item).shared_inputs, 0u);
}

TEST_F(CompilerTest, OneMoreThanTheLargestNumberIsKept) {
  compile("count(click, 1d before now) >= 3");
  EXPECT_EQ(compiled.plan.windows[0].keep, 3);
  compile("count(click, 1d before now) > 3");
  EXPECT_EQ(compiled.plan.windows[0].keep, 4);
  compile("count(click, 1d before now) <= 6");
  EXPECT_EQ(compiled.plan.windows[0].keep, 7);
  compile("count(click, 1d before now) = 9");
  EXPECT_EQ(compiled.plan.windows[0].keep, 10);
  compile("count(click, 1d before now) >= 32");
  EXPECT_EQ(compiled.plan.windows[0].keep, 32);
  ASSERT_EQ(compiled.plan.windows.size(), 1u);
  compile("count(click, 1d before now) > 32");
  ASSERT_EQ(compiled.plan.windows.size(), 2u);
  EXPECT_EQ(compiled.plan.windows[1].keep, 0);
}

TEST_F(CompilerTest, ImpossibleComparisonsWithCountsAreFalse) {
  profile::Profile profile;
  const auto value = [&](std::string_view text) {
    return evaluate(compile(text), {.compiled = compiled, .profile = profile, .now = time_from_ms(0)}).value;
  };
  EXPECT_FALSE(value("count(click, 1d before now) < 0"));
  EXPECT_FALSE(value("count(click, 1d before now) = -1"));
  EXPECT_FALSE(value("count(click, 1d before now) = 0.5"));
  EXPECT_TRUE(value("count(click, 1d before now) != 0.5"));
  EXPECT_TRUE(value("count(click, 1d before now) != -1"));
  EXPECT_TRUE(value("count(click, 1d before now) >= -1"));
}

TEST_F(CompilerTest, AComparisonWithSomethingUnknownIsFalse) {
  profile::Profile profile;
  const auto value = [&](std::string_view text) {
    return evaluate(compile(text), {.compiled = compiled, .profile = profile, .now = time_from_ms(0)}).value;
  };
  for (const std::string_view text :
       {"since(last_purchase) > 1d", "since(last_purchase) <= 1d", "gender = \"f\"", "gender != \"f\"", "gender not in (\"f\")", "age < 5",
        "spend / orders >= 0", "consent", "consent = false", "days_until(birthday) >= 0", "birthday within this month"})
    EXPECT_FALSE(value(text)) << text;
  EXPECT_TRUE(value("not (since(last_purchase) > 1d)"));
  EXPECT_TRUE(value("gender is unknown and last_purchase is unknown"));
}

TEST_F(CompilerTest, TraitsAreWrittenOut) {
  NamedTraits traits;
  traits["often"] = *parse_expression("orders >= 2");
  traits["twice"] = *expand(*parse_expression("often and often"), traits);
  std::string out;
  print(*expand(*parse_expression("not twice"), traits), out);
  EXPECT_EQ(out, "(not (and (>= orders 2) (>= orders 2)))");
}

TEST_F(CompilerTest, TraitsCannotGrowWithoutEnd) {
  NamedTraits traits;
  traits["x"] = *parse_expression("orders >= 2");
  bool refused = false;
  for (int i = 0; i < 64 && !refused; ++i) {
    auto next = expand(*parse_expression("x and x"), traits);
    if (next)
      traits["x"] = std::move(*next);
    else
      refused = true;
  }
  EXPECT_TRUE(refused);
}

TEST_F(CompilerTest, LeavesKeepTheirTextOnOneLine) {
  const Condition condition = compile("orders\n   >=  2 and\n not  consent");
  const auto leaves = leaves_of(compiled, condition.root);
  ASSERT_EQ(leaves.size(), 2u);
  EXPECT_EQ(compiled.leaves.at(leaves[0]).whole, "orders >= 2");
  EXPECT_EQ(compiled.leaves.at(leaves[0]).left, "orders");
  EXPECT_EQ(compiled.leaves.at(leaves[1]).whole, "consent");
  EXPECT_EQ(condition.text, "orders >= 2 and not consent");
}

}  // namespace
}  // namespace segue::segment
