// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/definitions_parser.h"

#include <gtest/gtest.h>

#include "tests/unit/segment/scenario.h"

namespace segue::segment {
namespace {

struct Mistake {
  std::string_view yaml;      // after "version: 1\n"
  std::string_view expected;  // line:column: beginning of the message
};

class Mistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreToldWithTheirPlace) {
  const auto parsed = Definitions::parse("version: 1\n" + std::string(GetParam().yaml), "f");
  ASSERT_FALSE(parsed.has_value());
  const std::string told = to_string(parsed.error());
  EXPECT_TRUE(told.starts_with("f:" + std::string(GetParam().expected))) << told << "expected " << GetParam().expected;
}

INSTANTIATE_TEST_SUITE_P(
    OfTheFile, Mistakes,
    ::testing::Values(
        Mistake{"segmets: []", "2:1: unknown key 'segmets' in the file; did you mean 'segments'?"},
        Mistake{"colour: red", "2:1: unknown key 'colour' in the file, expected one of: version, timezone,"},
        Mistake{"version: 1", "2:1: the key 'version' is given twice"},
        Mistake{"timezone: Asia/Peking2", "2:11: found 'Asia/Peking2', expected the IANA name of a time zone"},
        Mistake{"timezone: [UTC]", "2:11: found a list, expected a time zone"},
        Mistake{"settings: 7d", "2:11: found '7d', expected settings: a mapping of keys and values"},
        Mistake{"settings:\n  halflife: 7d", "3:3: unknown key 'halflife' in settings; did you mean 'half_life'?"},
        Mistake{"settings:\n  half_life: 7 days", "3:14: found '7 days', expected a duration from 1h to 3650d, such as 7d"},
        Mistake{"settings:\n  half_life: 1m", "3:14: found '1m', expected a duration from 1h to 3650d"},
        Mistake{"settings:\n  weights: {vew: 1}", "3:13: found 'vew', expected an event type; did you mean 'view'?"},
        Mistake{"settings:\n  weights: {view: -1}", "3:19: found '-1', expected a number from 0 to 1000000"},
        Mistake{"settings:\n  remember: {item: 300}", "3:20: found '300', expected a number from 0 to 256"},
        Mistake{"settings:\n  remember: {items: 3}", "3:14: unknown key 'items' in remember; did you mean 'item'?"},
        Mistake{"traits: {orders: spend}", "2:10: 'orders' is a word of the language"},
        Mistake{"traits: {two words: spend}", "2:10: found 'two words', expected one word"},
        Mistake{"traits: {a: spend +}", "2:20: found the end of the condition, expected a value"},
        Mistake{"traits: {a: spend + 7d}", "2:13: cannot add a number and a duration"},
        Mistake{"traits: {a: b + 1, b: spend}", "2:13: unknown word 'b'"}, Mistake{"segments: 5", "2:11: found '5', expected a list of segments"},
        Mistake{"segments: []", "2:11: found an empty list, expected a list of segments"},
        Mistake{"segments:\n  - when: orders > 1", "3:5: a segment needs 'name' and 'when'"},
        Mistake{"segments:\n  - {name: s, when: orders > 1, for: shop}", "3:38: expected category, brand or item"},
        Mistake{"segments:\n  - {name: s, when: orders > 1, announce: yes}", "3:43: found 'yes', expected true or false"},
        Mistake{"segments:\n  - {name: s, when: orders > 1, reentry: never}", "3:42: expected always, once, or after and a duration"},
        Mistake{"segments:\n  - {name: s, when: views > 1, for: item, reentry: once}", "3:52: a segment with 'for' can be entered again always"},
        Mistake{"segments:\n  - {name: s, when: orders > 1}\n  - {name: s, when: orders > 1}", "4:12: there is already a segment 's'"},
        Mistake{"settings: {remember: {item: 0}}\nsegments:\n  - {name: s, when: views > 1, for: item}", "4:37: settings say to remember no item"},
        Mistake{"settings: {remember: {item: 200}}\nsegments:\n  - {name: s, when: views > 1, for: item}\n  - {name: t, when: views > 1, for: item}",
                "5:37: one user could be in 400 segments of keys and top tags, at most 256"},
        Mistake{"tags:\n  - {name: t}", "3:5: a tag needs 'name', and either 'when' or 'top'"},
        Mistake{"tags:\n  - {name: 't*', top: three of item}", "3:23: expected a number from 1 to 16"},
        Mistake{"tags:\n  - {name: 't', top: 3 of item}", "3:12: the name of top tags has one * where the key goes"},
        Mistake{"lifecycle: {moves: []}", "2:12: the lifecycle has no 'stages'"},
        Mistake{"lifecycle: {stages: [a, a]}", "2:25: the stage 'a' is given twice"},
        Mistake{"lifecycle: {stages: [any]}", "2:22: 'any' stands for all stages"},
        Mistake{"lifecycle: {stages: 5}", "2:21: found '5', expected a list of names"},
        Mistake{"lifecycle: {stages: {new: 1}}", "2:21: found a mapping, expected a list of names"},
        Mistake{"lifecycle: {stages: ~}", "2:21: found nothing, expected a list of names"},
        Mistake{"lifecycle: {stages: [new, [buyer]]}", "2:27: found a list, expected the name of a stage"},
        Mistake{"lifecycle: {stages: [a, b], moves: none}", "2:36: found 'none', expected a list of moves"},
        Mistake{"lifecycle: {stages: [a, b], moves: {from: a, to: b, on: cart}}", "2:36: found a mapping, expected a list of moves"},
        Mistake{"lifecycle: 5", "2:12: found '5', expected the lifecycle: a mapping"},
        Mistake{"segments: {name: s, when: orders > 1}", "2:11: found a mapping, expected a list of segments"},
        Mistake{"tags: vip", "2:7: found 'vip', expected a list of tags"}, Mistake{"traits: 5", "2:9: found '5', expected traits: a mapping"},
        Mistake{"settings: {weights: [1]}", "2:21: found a list, expected weights: a mapping"},
        Mistake{"settings: {remember: 5}", "2:22: found '5', expected remember: a mapping"}));

INSTANTIATE_TEST_SUITE_P(
    OfMoves, Mistakes,
    ::testing::Values(
        Mistake{"lifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, on: purchase}", "5:7: a move needs 'from' and 'to'"},
        Mistake{"lifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, to: buyer}",
                "5:7: a move needs 'on' (event types), 'when' (a condition) or both"},
        Mistake{"lifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, to: buyr, on: purchase}",
                "5:23: there is no stage 'buyr'; did you mean 'buyer'?"},
        Mistake{"lifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, to: new, on: purchase}", "5:23: a move from 'new' to itself"},
        Mistake{"lifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, to: buyer, on: buy}", "5:34: found 'buy', expected an event type"},
        Mistake{"lifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, to: buyer, on: delete}", "5:34: 'delete' erases the user"},
        Mistake{"lifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, to: buyer, on: cart}\n    - {from: new, to: buyer, on: purchase}",
                "6:7: there is already a move 'new-to-buyer' from 'new'"},
        Mistake{"lifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, to: buyer, when: event.price > 5}",
                "5:36: 'event.price' needs an event: it is known only in moves with 'on'"},
        Mistake{"lifecycle:\n  stages: [new, buyer]\n  moves:\n    - from: new\n      to: buyer\n      when: count(click, 7d before event) > 2",
                "7:26: 'before event' needs an event: it is known only in moves with 'on'; write 'before now'"},
        Mistake{"lifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, to: buyer, when: 'in_segment(\"x\")'}",
                "5:37: the lifecycle is evaluated before segments"}));

// The condition stands in column 9 of line 3.
std::string condition(std::string_view text) { return "segments:\n  - name: s\n    when: " + std::string(text) + "\n"; }

struct WrongCondition {
  std::string_view text;
  int offset;  // characters into the text
  std::string_view message;
};
class WrongConditions : public ::testing::TestWithParam<WrongCondition> {};

TEST_P(WrongConditions, AreToldWithTheirPlace) {
  const auto parsed = Definitions::parse("version: 1\n" + condition(GetParam().text), "f");
  ASSERT_FALSE(parsed.has_value()) << GetParam().text;
  EXPECT_EQ(parsed.error()[0].line, 4);
  EXPECT_EQ(parsed.error()[0].column, 11 + GetParam().offset) << parsed.error()[0].message;
  EXPECT_TRUE(parsed.error()[0].message.starts_with(GetParam().message)) << parsed.error()[0].message;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongConditions,
    ::testing::Values(WrongCondition{"orders", 0, "found a number, expected a condition such as orders >= 2"},
                      WrongCondition{"5", 0, "found a number, expected a condition"},
                      WrongCondition{"orders >= 7d", 0, "cannot compare a number with a duration"},
                      WrongCondition{"since(last_purchase) >= 30", 0, "cannot compare a duration with a number: write the duration with its unit"},
                      WrongCondition{"last_purchase >= 30d", 0, "cannot compare a time with a duration: write since(…)"},
                      WrongCondition{"oders >= 2", 0, "unknown word 'oders'; did you mean 'orders'?"},
                      WrongCondition{"orders >= 2 and zodiac = 3", 16, "unknown word 'zodiac'; what a user has stated is written trait(\"zodiac\")"},
                      WrongCondition{"cont(click) > 1", 0, "unknown function 'cont'; did you mean 'count'?"},
                      WrongCondition{"count(clik) > 1", 6, "expected an event type such as click or purchase; did you mean 'click'?"},
                      WrongCondition{"count(click, 7d) > 1", 13, "a window says what it ends at: write '7d before now'"},
                      WrongCondition{"count(click, 7) > 1", 13, "expected a window such as 7d before now"},
                      WrongCondition{"count(click, 7d before event) > 1", 13, "'before event' needs an event"},
                      WrongCondition{"count(click, 7d before today) > 1", 23, "found 'today', expected 'now' or 'event' after 'before'"},
                      WrongCondition{"count(click, 9999d before now) > 1", 13, "a window is 1ms to 3650d long"},
                      WrongCondition{"sum(purchase) > 1", 0, "expected an event type and a window"},
                      WrongCondition{"7d before now > 1", 0, "a window belongs into count(…) or sum(…)"},
                      WrongCondition{"since(orders) > 1d", 6, "found a number, expected a time such as last_purchase"},
                      WrongCondition{"affinity(shop, \"x\") > 1", 0, "expected category, brand or item and a name in quotes"},
                      WrongCondition{"affinity(item, \"x\") = 1", 0, "an affinity falls all the time"},
                      WrongCondition{"affinity(item, \"x\") + 1 > 2", 0, "cannot add an affinity and a number"},
                      WrongCondition{"affinity > 2", 0, "'affinity' speaks of a category, brand or item"},
                      WrongCondition{"since(last_seen) * since(last_seen) > 1", 0, "cannot multiply a duration and a duration"},
                      WrongCondition{"1 / (since(last_seen) / 1d) > 1", 0, "of values that change with time only one"},
                      WrongCondition{"orders >= 2 &&  spend > 1", 12, "found '&', expected 'and'"},
                      WrongCondition{"orders >= 2 spend", 12, "found 'spend', expected 'and', 'or' or the end of the condition"},
                      WrongCondition{"1 < orders < 3", 11, "found '<', expected 'and', 'or' or the end: comparisons cannot be chained"},
                      WrongCondition{"(orders > 2", 11, "found the end of the condition, expected ')'"},
                      WrongCondition{"orders > 2mo", 9, "found '2mo', expected a duration such as 30d"},
                      WrongCondition{"now > 2024-13-01", 6, "found '2024-13-01', expected a date"},
                      WrongCondition{"gender > \"f\"", 0, "a trait can be compared with a number, or by = and !="},
                      WrongCondition{"gender = age", 0, "a trait can be compared with a number, or by = and !="},
                      WrongCondition{"gender is good", 10, "found 'good', expected 'known' or 'unknown' after 'is'"},
                      WrongCondition{"birthday within 3d", 16, "found a duration, expected 'this week' or 'this month'"},
                      WrongCondition{"last_seen within this week", 0, "found a time, expected a trait that holds a date"},
                      WrongCondition{"days_until(orders) < 3", 0, "expected a trait that holds a date"},
                      WrongCondition{"stage = gone", 8, "there is no stage 'gone'"},
                      WrongCondition{"stage > all", 0, "the stage can be compared with = and != only"},
                      WrongCondition{"in_segment(\"t\")", 11, "there is no segment \"t\" without a key above this one"},
                      WrongCondition{"in_segment(\"s\")", 11, "there is no segment \"s\" without a key above this one"},
                      WrongCondition{"event.price > 3", 0, "'event.price' needs an event"},
                      WrongCondition{"in_cart", 0, "'in_cart' speaks of a category, brand or item"},
                      WrongCondition{"region = \"上海\" and region = \"杭州", 27, "this text has no closing"},
                      WrongCondition{"region = \"上海\" and oders > 3", 18, "unknown word 'oders'"},
                      WrongCondition{"orders > 5 %", 11, "found '%': write 40 % as 0.4"}));

TEST(DefinitionsParser, TellsAllMistakesAtOnceInTheirOrder) {
  const auto parsed =
      Definitions::parse("version: 2\ntags:\n  - {name: t, when: spnd > 5}\nsegments:\n  - {name: s, when: oders > 5}\n  - {name: r, wen: 1}\n", "f");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(to_string(parsed.error()),
            "f:1:10: this program reads version 1 of the language\n"
            "f:3:21: unknown word 'spnd'; did you mean 'spend'?\n"
            "f:5:21: unknown word 'oders'; did you mean 'orders'?\n"
            "f:6:5: a segment needs 'name' and 'when'\n"
            "f:6:15: unknown key 'wen' in a segment; did you mean 'when'?\n");
}

TEST(DefinitionsParser, RefusesWhatIsNotYamlOrText) {
  for (const std::string_view text :
       {"a: [", "", "version: 1\n---\nversion: 1\n", "version: \xff", "\x04", "version: 1\n\tx: 2", "[]", "just text"}) {
    const auto parsed = Definitions::parse(text, "f");
    EXPECT_FALSE(parsed.has_value()) << text;
  }
  EXPECT_EQ(Definitions::parse("version: 1\nsegments: [\n", "f").error()[0].line, 3);
  EXPECT_EQ(to_string(Definitions::parse("version: 1\nsettings: {lateness: 1s}}\n", "f").error()), "f:2:25: this is not YAML: illegal flow end\n");
  EXPECT_EQ(to_string(Definitions::parse("version: 1\n---\nsegments: x\n", "f").error()),
            "f:2:1: found more after the end of the definitions: a bracket too many?\n");
}

TEST(DefinitionsParser, TakesAByteOrderMarkAndWindowsLineEnds) {
  const auto parsed = Definitions::parse("\xef\xbb\xbfversion: 1\r\nsegments:\r\n  - name: 老客\r\n    when: orders >= 2\r\n", "f");
  ASSERT_TRUE(parsed.has_value()) << to_string(parsed.error());
  EXPECT_EQ(parsed->definition(0).name, "老客");
  EXPECT_EQ(Definitions::parse("\xef\xbb\xbfversion: 1\r\nsegments:\r\n  - name: 老客\r\n    when: oders >= 2\r\n", "f").error()[0].column, 11);
}

TEST(DefinitionsParser, EachDistinctWindowIsKeptOnceWithTheMostItNeeds) {
  const Definitions definitions = parse_or_die(R"(
version: 1
segments:
  - {name: a, when: 'count(click, 7d before now) >= 3'}
  - {name: b, when: 'count(click, 1w before now) = 3'}
  - {name: c, when: 'count(click, 7d before now) >= 100'}
  - {name: d, when: 'sum(click, 7d before now) >= 1'}
  - {name: e, for: item, when: 'count(click, 7d before now) < 2'}
)");
  const auto& windows = definitions.plan().windows;
  ASSERT_EQ(windows.size(), 3u);
  EXPECT_EQ(windows[0].keep, 4);
  EXPECT_EQ(windows[1].keep, 0);
  EXPECT_EQ(windows[1].tile_width, profile::tile_width_for(std::chrono::days{7}));
  EXPECT_EQ(windows[2].scope, profile::Scope::kItem);
  EXPECT_EQ(windows[2].keep, 2);
  EXPECT_EQ(definitions.plan().recent_slots, 4);
  EXPECT_EQ(definitions.plan().keyed_slots[interest_index(profile::Scope::kItem)], 2);
  EXPECT_NE(windows[0].id, windows[1].id);
}

}  // namespace
}  // namespace segue::segment
