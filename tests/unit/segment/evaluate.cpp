// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "lib/segment/definitions_parser.h"
#include "tests/unit/segment/scenario.h"

namespace segue::segment {
namespace {

using event::EventType;
using profile::Scope;

struct Written {
  std::string_view condition;
  std::string_view scope;  // empty: the user
};

// Every function and every kind of comparison, with thresholds that random users cross.
constexpr std::array kConditions = std::to_array<Written>({
    {"orders >= 2", ""},
    {"spend >= 500 and refunded < 50", ""},
    {"spend / orders >= 60", ""},
    {"purchases - 2 * count(refund) >= 1", ""},
    {"count(click) >= 10", ""},
    {"count(click, 7d before now) >= 3", ""},
    {"count(click, 7d before now) = 2", ""},
    {"count(click, 7d before now) != 1", ""},
    {"count(click, 3d before now) < 2", ""},
    {"2 > count(click, 3d before now)", ""},
    {"count(click, 3d before now) <= 2", ""},
    {"count(click, 5d before now) between 1 and 3", ""},
    {"count(click, 5d before now) not between 1 and 3", ""},
    {"count(click, 5d before now) in (1, 4)", ""},
    {"count(click, 5d before now) not in (1, 4)", ""},
    {"count(click, 2d before now) = 1.5", ""},
    {"count(view, 60d before now) >= 40", ""},
    {"count(view, 60d before now) between 36 and 50", ""},
    {"count(view, 9d before now) > 2 * count(click, 9d before now)", ""},
    {"sum(purchase, 30d before now) > 200", ""},
    {"sum(purchase, 30d before now) / count(purchase, 30d before now) >= 60", ""},
    {"since(last_purchase) >= 5d", ""},
    {"since(last_purchase) < 12h", ""},
    {"since(last_purchase) > 1.5 * since(last_seen) + 1h", ""},
    {"since(last_purchase) = 36h", ""},
    {"since(last_purchase) != 36h", ""},
    {"last_purchase at most 3d ago", ""},
    {"not (since(last_purchase) >= 5d) or since(last(click)) > 2d", ""},
    {"last(click) > last_purchase", ""},
    {"last(click) - last_purchase > 2d", ""},
    {"since(first_seen) >= 20d and since(last_seen) <= 1d", ""},
    {"since(last_seen) / 1d >= 0.37", ""},
    {"1d - since(last_seen) >= -3h", ""},
    {"cart_size >= 2 and since(cart_oldest) >= 1h", ""},
    {"cart_oldest is unknown", ""},
    {"affinity(category, \"c-1\") >= 7.5", ""},
    {"affinity(category, \"c-1\") < 7.5", ""},
    {"20 > affinity(category, \"c-1\")", ""},
    {"affinity(category, \"c-1\") >= count(view, 9d before now)", ""},
    {"affinity(category, \"c-1\") > affinity(category, \"c-2\")", ""},
    {"affinity(category, \"c-1\") > 0", ""},
    {"share(category, \"c-1\") >= 0.3", ""},
    {"gender = \"female\"", ""},
    {"gender != \"female\"", ""},
    {"region in (\"杭州\", \"上海\")", ""},
    {"region not in (\"杭州\", \"上海\")", ""},
    {"region contains \"州\"", ""},
    {"consent and age between 25 and 34", ""},
    {"consent = false", ""},
    {"not consent", ""},
    {"age + 1 >= 30", ""},
    {"birthday within this week", ""},
    {"birthday within this month", ""},
    {"days_until(birthday) <= 7", ""},
    {"weekday in (6, 7) and day_of_month <= 14", ""},
    {"month = 3", ""},
    {"now between 2024-03-05 and 2024-03-20T12:30", ""},
    {"stage = buyer and since(stage_since) >= 2d", ""},
    {"purchases = 0 and count(click, 7d before now) >= 2", "category"},
    {"count(view, 4d before now) in (2, 3)", "brand"},
    {"since(last_purchase) >= 0.9 * cycle", "item"},
    {"since(last_purchase) between 0.9 * cycle and 2 * cycle", "item"},
    {"affinity >= 3 and share < 0.5", "category"},
    {"in_cart and since(last_seen) >= 6h", "item"},
    {"views + clicks >= 5 or carts >= 2", "brand"},
    {"first_purchase is known and last_seen > last_purchase", "category"},
    {"key in (\"c-1\", \"c-3\") and user.count(click, 3d before now) >= 2", "category"},
    {"orders >= 1 and user.last_purchase at least 2d ago and since(last_seen) < 4d", "category"},
});

std::string all_conditions(std::string_view half_life = "7d") {
  std::string yaml =
      "version: 1\ntimezone: Europe/Berlin\nsettings: {half_life: " + std::string(half_life) + ", remember: {category: 3, brand: 3, item: 4}}\n";
  yaml +=
      "lifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, to: buyer, on: purchase}\n    - {from: buyer, to: new, when: "
      "since(last_purchase) >= 6d}\nsegments:\n";
  for (size_t i = 0; i < kConditions.size(); ++i) {
    yaml += "  - name: s" + std::to_string(i) + "\n";
    if (!kConditions[i].scope.empty()) yaml += "    for: " + std::string(kConditions[i].scope) + "\n";
    yaml += "    when: >\n      " + std::string(kConditions[i].condition) + "\n";
  }
  yaml += R"(
  - {name: once, when: 'count(click, 2d before now) >= 2', reentry: once}
  - {name: later, when: 'count(view, 1d before now) >= 2', reentry: after 5d}
  - {name: both, when: 'in_segment("later") or in_segment("once") and orders >= 1'}
  - {name: keyed, for: brand, when: 'in_segment("later") and views >= 1'}
tags:
  - {name: 'cat:*', top: 2 of category}
  - {name: 'item:*', top: 3 of item}
  - {name: full, when: cart_size >= 3}
  - {name: full and later, when: 'has_tag("full") and in_segment("later")'}
)";
  return yaml;
}

// A random user's events: bursts and long pauses, some of them late. Times are whole seconds, so that equalities are met.
class RandomUser {
 public:
  explicit RandomUser(uint32_t seed) : random_(seed), ts_(Scenario::at(1'708'000'000 + seed % 1000 * 4000)) {}

  event::Event next() {
    constexpr std::array kTypes = {EventType::kView, EventType::kView,     EventType::kView,   EventType::kClick,  EventType::kClick,
                                   EventType::kCart, EventType::kPurchase, EventType::kRefund, EventType::kReview, EventType::kIdentify};
    constexpr std::array<std::string_view, 4> kCategories = {"c-1", "c-2", "c-3", "c-4"};
    constexpr std::array<std::string_view, 5> kItems = {"i-1", "i-2", "i-3", "i-4", "i-5"};
    constexpr std::array kPauses = {20, 600, 7200, 43'200, 259'200};
    ts_ += std::chrono::seconds{below(kPauses[below(kPauses.size())])};
    event::Event event{.type = kTypes[below(kTypes.size())], .ts = ts_};
    if (below(6) == 0) event.ts -= std::chrono::seconds{below(400'000)};
    event.item = {.item_id = kItems[below(5)],
                  .category = kCategories[below(4)],
                  .brand = kCategories[below(3)],
                  .price = Money{static_cast<int64_t>(below(100)) * 1'000'000}};
    if (event.type == EventType::kIdentify) state(event);
    if (event.type == EventType::kPurchase && below(2) == 0) {
      lines_ = {event.item, event.item, event.item};
      lines_[1].category = kCategories[below(4)];
      lines_[2].item_id = kItems[below(5)];
      event.items = lines_;
    }
    return event;
  }
  size_t below(size_t bound) { return std::uniform_int_distribution<size_t>(0, bound - 1)(random_); }
  Time last() const { return ts_; }

 private:
  void state(event::Event& event) {
    constexpr std::array<std::string_view, 3> kRegions = {"杭州", "上海", "北京"};
    const std::array<event::Trait, 6> possible = {{{"gender", below(2) == 0 ? "female" : "male"},
                                                   {"region", kRegions[below(3)]},
                                                   {"consent", below(2) == 0},
                                                   {"age", static_cast<double>(20 + below(20))},
                                                   {"birthday", below(2) == 0 ? "2000-02-29" : "1990-03-17"},
                                                   {"gender", std::monostate{}}}};
    stated_ = possible[below(possible.size())];
    event.traits = {&stated_, 1};
  }

  std::mt19937 random_;
  Time ts_;
  event::Trait stated_;
  std::array<event::Item, 3> lines_;
};

// Between `now` and holds_until neither value nor holds_until may differ, wherever one looks.
void expect_constant(const Definition& definition, Subject subject, RandomUser& user) {
  const Time now = subject.now;
  const Verdict verdict = evaluate(definition.when, subject);
  ASSERT_GT(verdict.holds_until, now) << definition.when.text;
  const Time end = std::min(verdict.holds_until, now + std::chrono::days{60});
  const auto span = static_cast<size_t>((end - now).count());
  for (const size_t offset : {size_t{1}, span / 2, span - 1, user.below(span), user.below(span), user.below(span)}) {
    if (offset >= span) continue;
    subject.now = now + Duration{offset};
    const Verdict later = evaluate(definition.when, subject);
    ASSERT_EQ(later.value, verdict.value) << definition.when.text << " at +" << offset << " of " << span;
    ASSERT_EQ(later.holds_until, verdict.holds_until) << definition.when.text << " at +" << offset << " of " << span;
  }
}

TEST(Evaluate, EveryConditionHoldsAsLongAsItSays) {
  const std::string yaml = all_conditions();
  DefinitionsParser parser(yaml, "all.yaml");
  const auto compiled = parser.parse();
  ASSERT_NE(compiled, nullptr) << to_string(parser.take_errors());
  std::map<std::string, std::array<int, 2>> seen;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    RandomUser user(seed);
    profile::Profile profile;
    Time high = kNoTime;
    for (int i = 0; i < 150; ++i) {
      const event::Event event = user.next();
      high = std::max(high, event.ts);
      profile::apply(profile, event, compiled->plan);
      profile.stage = static_cast<uint8_t>(profile.orders > 0);
      profile.stage_since = profile.last_purchase;
      for (size_t k = 0; k < kConditions.size(); ++k) {
        const Definition& definition = compiled->definitions[k];
        const Time now = high - compiled->plan.lateness + std::chrono::seconds{user.below(300'000)};
        Subject subject{.compiled = *compiled, .profile = profile, .now = now, .scope = definition.scope};
        if (definition.scope == Scope::kUser) {
          expect_constant(definition, subject, user);
          ++seen[definition.when.text][evaluate(definition.when, subject).value];
          continue;
        }
        for (const profile::Interest& key : profile.interests[interest_index(definition.scope)]) {
          subject.key = &key;
          expect_constant(definition, subject, user);
          ++seen[definition.when.text][evaluate(definition.when, subject).value];
        }
      }
      if (HasFatalFailure()) return;
    }
  }
  // A condition that is always true or always false would prove nothing.
  for (const auto& [text, counts] : seen) {
    if (text.ends_with("= 1.5") || text.ends_with("= 36h")) continue;  // never, or hardly ever, met
    EXPECT_GT(counts[0], 0) << text;
    EXPECT_GT(counts[1], 0) << text;
  }
}

TEST(Evaluate, WindowsCountWhatANaiveCountCounts) {
  std::string yaml = "version: 1\nsegments:\n";
  const std::array<std::string_view, 6> kComparisons = {"=", "!=", "<", "<=", ">", ">="};
  for (const std::string_view comparison : kComparisons)
    for (int number = 0; number < 5; ++number)
      yaml += "  - {name: 's" + std::string(comparison) + std::to_string(number) + "', when: 'count(click, 4d before now) " +
              std::string(comparison) + " " + std::to_string(number) + "'}\n";
  DefinitionsParser parser(yaml, "count.yaml");
  const auto compiled = parser.parse();
  ASSERT_NE(compiled, nullptr) << to_string(parser.take_errors());
  ASSERT_EQ(compiled->plan.windows.size(), 1u);
  EXPECT_EQ(compiled->plan.windows[0].keep, 5);
  for (uint32_t seed = 0; seed < 30; ++seed) {
    RandomUser user(seed);
    profile::Profile profile;
    std::vector<Time> clicks;
    for (int i = 0; i < 100; ++i) {
      const event::Event event = user.next();
      if (event.type == EventType::kClick) clicks.push_back(event.ts);
      profile::apply(profile, event, compiled->plan);
      const Time now = user.last() + std::chrono::seconds{user.below(400'000)};
      const auto count = std::count_if(clicks.begin(), clicks.end(), [&](Time t) { return t > now - std::chrono::days{4}; });
      for (size_t k = 0; k < compiled->definitions.size(); ++k)
        ASSERT_EQ(evaluate(compiled->definitions[k].when, {.compiled = *compiled, .profile = profile, .now = now}).value,
                  holds(static_cast<Comparison>(k / 5), static_cast<double>(count), static_cast<double>(k % 5)))
            << compiled->definitions[k].when.text << ", count " << count;
    }
  }
}

// Changes, memberships, moves and the deadline must not depend on what was cached between two events.
void expect_same(const Scenario& kept, const Scenario& forgetful) {
  ASSERT_EQ(kept.profile.deadline, forgetful.profile.deadline);
  ASSERT_EQ(kept.profile.members, forgetful.profile.members);
  ASSERT_EQ(kept.profile.stage, forgetful.profile.stage);
  ASSERT_EQ(kept.profile.stage_since, forgetful.profile.stage_since);
  ASSERT_EQ(kept.profile.past_moves.size(), forgetful.profile.past_moves.size());
  ASSERT_EQ(kept.profile.left_segments.size(), forgetful.profile.left_segments.size());
  ASSERT_EQ(kept.profile.keyed_members.size(), forgetful.profile.keyed_members.size());
  for (size_t i = 0; i < kept.profile.keyed_members.size(); ++i) ASSERT_EQ(kept.profile.keyed_members[i].key, forgetful.profile.keyed_members[i].key);
}

size_t compare_with_forgetful(const std::string& yaml, uint32_t seeds) {
  size_t told = 0;
  Scenario kept(yaml);
  Scenario forgetful(yaml);
  forgetful.forgetful = true;
  for (uint32_t seed = 0; seed < seeds; ++seed) {
    RandomUser user(seed);
    for (Scenario* one : {&kept, &forgetful}) one->profile = {}, one->high = time_from_ms(0);
    for (int i = 0; i < 120; ++i) {
      const event::Event event = user.next();
      const Told expected = forgetful.send(event);
      EXPECT_EQ(kept.send(event), expected) << "seed " << seed << ", event " << i;
      expect_same(kept, forgetful);
      told += expected.size();
      if (::testing::Test::HasFailure()) return told;
    }
  }
  return told;
}

TEST(Evaluate, WhatWasCachedDoesNotMatter) {
  EXPECT_GT(compare_with_forgetful(all_conditions(), 40), 1000u);
  EXPECT_GT(compare_with_forgetful(all_conditions("1h"), 40), 1000u);
  EXPECT_GT(compare_with_forgetful(std::string(default_definitions()), 40), 500u);
}

TEST(Evaluate, EnteredAndLeftAlternate) {
  Scenario user(all_conditions());
  for (uint32_t seed = 0; seed < 20; ++seed) {
    RandomUser random(seed);
    user.profile = {};
    user.high = time_from_ms(0);
    user.history.clear();
    for (int i = 0; i < 120; ++i) user.send(random.next());
    std::map<std::pair<uint16_t, std::string>, bool> inside;
    for (const Change& change : user.history) {
      if (change.kind == ChangeKind::kMoved) continue;
      const bool enters = change.kind == ChangeKind::kEntered || change.kind == ChangeKind::kTagged;
      ASSERT_NE(std::exchange(inside[{change.index, change.key}], enters), enters) << user.definitions.definition(change.index).when.text;
    }
    EXPECT_GT(user.history.size(), 100u);
  }
}

}  // namespace
}  // namespace segue::segment
