// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/definitions.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/unit/segment/scenario.h"

namespace segue::segment {
namespace {

std::string hash_of(std::string_view yaml) { return parse_or_die(yaml).hash(); }

TEST(Definitions, TheDefaultIsTheReferenceJob) {
  const auto parsed = Definitions::parse(default_definitions(), "reference.yaml");
  ASSERT_TRUE(parsed.has_value()) << to_string(parsed.error());
  EXPECT_EQ(parsed->stages(), (Told{"new", "potential", "buyer", "returning", "lapsed"}));
  Told names;
  for (const Move& move : parsed->moves()) names.push_back(move.name);
  EXPECT_EQ(names, (Told{"new-to-potential", "potential-to-new", "new-to-buyer", "potential-to-buyer", "buyer-to-returning", "buyer-to-lapsed",
                         "returning-to-lapsed", "lapsed-to-returning"}));
  for (const Move& move : parsed->moves()) EXPECT_TRUE(move.announce);
  for (const Definition& tag : parsed->definitions()) EXPECT_FALSE(tag.announce);
  const profile::Plan& plan = parsed->plan();
  EXPECT_EQ(plan.half_life, std::chrono::days{7});
  EXPECT_EQ(plan.lateness, std::chrono::seconds{30});
  EXPECT_EQ(plan.weights, (profile::Plan{}.weights));
  EXPECT_EQ(plan.interest_size, (std::array<uint16_t, 3>{16, 16, 16}));
  ASSERT_EQ(plan.windows.size(), 2u);
  EXPECT_EQ(plan.windows[0].keep, 3);
  EXPECT_EQ(plan.windows[1].keep, 1);
  EXPECT_EQ(plan.recent_slots, 4);
  EXPECT_EQ(parsed->text(), default_definitions());
}

TEST(Definitions, TheHashIsTheSameOnEveryMachine) {
  // Names stored definitions; it changes only when what decides changes.
  EXPECT_EQ(parse_or_die(default_definitions()).hash(), "43a45cad04b45d180751da7108e7fbc5");
}

TEST(Definitions, CommentsLayoutAndSpellingsDoNotChangeTheHash) {
  const std::string plain = hash_of("version: 1\nsegments:\n  - {name: s, when: orders >= 2 and since(last_seen) < 7d}\n");
  EXPECT_EQ(hash_of("# a comment\nsegments:\n  - when: >\n      (orders >= 2.0)\n      and last_seen less than 1w ago\n    name: \"s\"\n    "
                    "announce: true\n    reentry: always\n"
                    "version: 1\ntimezone: UTC\n"),
            plain);
  EXPECT_EQ(hash_of("version: 1\ntraits: {often: orders >= 2}\nsegments:\n  - {name: s, when: often and since(last_seen) < 168h}\n"), plain);
  EXPECT_EQ(hash_of("version: 1\nsegments:\n  - {name: s, when: orders ≥ 2 and since（last_seen） ＜ 7d}\n"), plain);
}

TEST(Definitions, WhatChangesResultsChangesTheHash) {
  const std::vector<std::string> variants = {
      "segments:\n  - {name: s, when: orders >= 2}\n",
      "segments:\n  - {name: s, when: orders > 2}\n",
      "segments:\n  - {name: t, when: orders >= 2}\n",
      "segments:\n  - {name: s, when: orders >= 2, announce: false}\n",
      "segments:\n  - {name: s, when: orders >= 2, reentry: once}\n",
      "segments:\n  - {name: s, when: orders >= 2, reentry: after 1d}\n",
      "segments:\n  - {name: s, when: orders >= 2, for: item}\n",
      "tags:\n  - {name: s, when: orders >= 2}\n",
      "settings: {half_life: 8d}\nsegments:\n  - {name: s, when: orders >= 2}\n",
      "settings: {lateness: 1s}\nsegments:\n  - {name: s, when: orders >= 2}\n",
      "settings: {weights: {view: 1}}\nsegments:\n  - {name: s, when: orders >= 2}\n",
      "settings: {remember: {item: 5}}\nsegments:\n  - {name: s, when: orders >= 2}\n",
      "timezone: Asia/Shanghai\nsegments:\n  - {name: s, when: orders >= 2}\n",
      "lifecycle: {stages: [a]}\nsegments:\n  - {name: s, when: orders >= 2}\n",
      "segments:\n  - {name: s, when: orders >= 2}\n  - {name: r, when: orders >= 2}\n",
      "segments:\n  - {name: r, when: orders >= 2}\n  - {name: s, when: orders >= 2}\n",
      "segments:\n  - {name: s, when: gender in (\"a\")}\n",
      "segments:\n  - {name: s, when: gender not in (\"a\")}\n",
      "segments:\n  - {name: s, when: 'gender in (\"a\", \"b\")'}\n",
      "segments:\n  - {name: s, when: now >= 2024-01-01}\n",
      "timezone: Asia/Shanghai\nsegments:\n  - {name: s, when: now >= 2024-01-01}\n",
  };
  std::vector<std::string> hashes;
  for (const std::string& variant : variants) hashes.push_back(hash_of("version: 1\n" + variant));
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
}

TEST(Definitions, TimeZoneRulesAreInTheHashOnlyWhereTheyDecide) {
  EXPECT_EQ(parse_or_die("version: 1\ntimezone: Europe/Berlin\nsegments:\n  - {name: s, when: orders >= 2}\n").canonical().find("3600000"),
            std::string::npos);
  EXPECT_NE(parse_or_die("version: 1\ntimezone: Europe/Berlin\nsegments:\n  - {name: s, when: weekday = 2}\n").canonical().find("3600000"),
            std::string::npos);
}

TEST(Definitions, ComparedValuesHaveNames) {
  const Definitions definitions = parse_or_die(default_definitions());
  EXPECT_EQ(definitions.compared_names(true, 0), (Told{"orders", "count(click, 7d before event)", "count(cart, 7d before event)"}));
  EXPECT_EQ(definitions.compared_names(false, 2), Told{"since(cart_oldest)"});
}

// A named trait too, whose name says nothing of it.
TEST(Definitions, ComparedValuesHaveUnits) {
  const Definitions definitions = parse_or_die(
      "version: 1\ntraits: {recently: since(last_purchase) < 30d, net: spend - refunded}\nsegments:\n"
      "  - {name: s, when: recently and last_purchase at least 1d ago and net > 5 and first_seen > 2024-01-01}\n");
  EXPECT_EQ(definitions.compared_units(false, 0),
            (std::vector<ComparedUnit>{ComparedUnit::kDuration, ComparedUnit::kDuration, ComparedUnit::kNumber, ComparedUnit::kTime}));
}

TEST(Definitions, TheShopsExampleParses) {
  std::ifstream file(SEGUE_SOURCE_DIR "/examples/definitions/shop.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const auto parsed = Definitions::parse(text.str(), "shop.yaml");
  ASSERT_TRUE(parsed.has_value()) << to_string(parsed.error());
  EXPECT_EQ(parsed->stage_name(1), "潜客");
}

TEST(Definitions, CopiesShareAndOutliveTheOriginal) {
  std::optional<Definitions> copy;
  {
    const Definitions original = parse_or_die(default_definitions());
    copy = original;
    EXPECT_EQ(&copy->plan(), &original.plan());
  }
  EXPECT_EQ(copy->stage_name(0), "new");
}

}  // namespace
}  // namespace segue::segment
