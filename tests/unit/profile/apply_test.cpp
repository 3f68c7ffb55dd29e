// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "lib/base/hash.h"
#include "lib/profile/decay.h"
#include "lib/profile/profile.h"
#include "tests/unit/profile/events.h"

namespace segue::profile {
namespace {

using event::EventType;
using event::Item;
using events::at;
using events::make;
using events::make_purchase;

constexpr Duration kWeek = std::chrono::days{7};

class Apply : public testing::Test {
 protected:
  void take(const event::Event& e) { apply(p_, e, plan_); }
  void identify(Time ts, std::string_view name, event::TraitValue value) {
    const event::Trait trait{name, value};
    event::Event e = make(EventType::kIdentify, ts);
    e.traits = {&trait, 1};
    take(e);
  }
  double weight(Scope scope, std::string_view name, Time now) const {
    const Interest* interest = p_.find_interest(scope, name_hash(name));
    return interest == nullptr ? -1 : interest_weight(p_, *interest, now, plan_);
  }
  std::vector<std::string> names(Scope scope) const {
    std::vector<std::string> found;
    for (const auto& interest : p_.interests[interest_index(scope)]) found.push_back(interest.name);
    return found;
  }
  std::vector<std::string> cart() const {
    std::vector<std::string> items;
    for (const auto& line : p_.cart) items.push_back(line.item_id);
    return items;
  }

  Plan plan_;
  Profile p_;
};

TEST_F(Apply, EveryTypeIsCountedWithItsLatestTime) {
  for (size_t type = 0; type < event::kEventTypes; ++type) {
    const auto t = static_cast<EventType>(type);
    if (t == EventType::kDelete) continue;
    take(make(t, at(100)));
    take(make(t, at(50)));
    EXPECT_EQ(p_.counts[type], 2U);
    EXPECT_EQ(p_.last[type], at(100));
  }
}

TEST_F(Apply, LateEventMovesFirstSeenOnly) {
  take(make(EventType::kView, at(100)));
  take(make(EventType::kView, at(10)));
  EXPECT_EQ(p_.first_seen, at(10));
  EXPECT_EQ(p_.last_seen, at(100));
  take(make_purchase(at(90), 1));
  take(make_purchase(at(80), 1));
  EXPECT_EQ(p_.last_purchase, at(90));
  EXPECT_EQ(p_.last_seen, at(100));
}

// ---- orders and money ----

TEST_F(Apply, ConsecutivePurchasesOfOneOrderAreOneOrder) {
  for (const char* order : {"o1", "o1", "o2", "o1", "o1"}) take(make_purchase(at(0), 5, order));
  EXPECT_EQ(p_.orders, 3U);
  EXPECT_EQ(p_.spend.micros, 25'000'000);
}

TEST_F(Apply, PurchasesWithoutAnOrderIdAreOrdersEach) {
  take(make_purchase(at(0), 5, "o1"));
  take(make_purchase(at(1), 5));
  take(make_purchase(at(2), 5));
  take(make_purchase(at(3), 5, "o1"));
  EXPECT_EQ(p_.orders, 4U);
}

TEST_F(Apply, SpendIsPriceTimesQuantityOverAllLines) {
  const std::array<Item, 2> items = {Item{"a", {}, {}, {1'500'000}, 3}, Item{"b", {}, {}, {1}, 1}};
  event::Event e = make(EventType::kPurchase, at(0));
  e.items = items;
  take(e);
  EXPECT_EQ(p_.spend.micros, 4'500'001);
  EXPECT_EQ(p_.orders, 1U);
}

TEST_F(Apply, RefundIsKeptApartFromSpend) {
  take(make_purchase(at(0), 10));
  event::Event e = make_purchase(at(1), 4);
  e.type = EventType::kRefund;
  take(e);
  EXPECT_EQ(p_.spend.micros, 10'000'000);
  EXPECT_EQ(p_.refunded.micros, 4'000'000);
  EXPECT_EQ(p_.orders, 1U);
  EXPECT_EQ(p_.last_purchase, at(0));
}

TEST_F(Apply, MoneyStopsAtTheEndOfItsRange) {
  p_.spend.micros = INT64_MAX - 1;
  take(make_purchase(at(0), 1));
  EXPECT_EQ(p_.spend.micros, INT64_MAX);
}

// ---- cart ----

TEST_F(Apply, CartKeepsTheFirstTimeOfAnItem) {
  take(make(EventType::kCart, at(1), "a"));
  take(make(EventType::kCart, at(2), "b"));
  take(make(EventType::kCart, at(3), "a"));
  EXPECT_EQ(cart(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(p_.cart[0].added, at(1));
  EXPECT_EQ(p_.cart[0].hash, name_hash("a"));
}

TEST_F(Apply, PurchaseAndRemovalTakeItemsOutOfTheCart) {
  for (const char* item : {"a", "b", "c", "d"}) take(make(EventType::kCart, at(1), item));
  take(make(EventType::kCartRemove, at(2), "b"));
  const std::array<Item, 2> items = {Item{"a", {}, {}, {}, 1}, Item{"d", {}, {}, {}, 1}};
  event::Event e = make(EventType::kPurchase, at(3));
  e.items = items;
  take(e);
  take(make(EventType::kRefund, at(4), "c"));
  EXPECT_EQ(cart(), std::vector<std::string>{"c"});
}

TEST_F(Apply, OldestItemLeavesAFullCart) {
  for (int i = 0; i < 17; ++i) take(make(EventType::kCart, at(i), "i" + std::to_string(i)));
  EXPECT_EQ(p_.cart.size(), kMaxCart);
  EXPECT_EQ(p_.cart.front().item_id, "i1");
  EXPECT_EQ(p_.cart.back().item_id, "i16");
}

TEST_F(Apply, CartEventWithoutAnItemLeavesTheCartAlone) {
  take(make(EventType::kCart, at(1), "", "c"));
  EXPECT_TRUE(p_.cart.empty());
  EXPECT_EQ(p_.counts[event::index(EventType::kCart)], 1U);
}

// ---- traits ----

TEST_F(Apply, LaterStatementOfATraitWins) {
  identify(at(10), "age", 30.0);
  identify(at(5), "age", 20.0);
  EXPECT_EQ(p_.find_trait("age")->value, TraitValue{30.0});
  identify(at(10), "age", 31.0);  // of the same time: the one that came later
  EXPECT_EQ(p_.find_trait("age")->value, TraitValue{31.0});
  identify(at(11), "age", std::string_view("old"));
  EXPECT_EQ(p_.find_trait("age")->value, TraitValue{std::string("old")});
  EXPECT_EQ(p_.find_trait("age")->stated, at(11));
}

TEST_F(Apply, NullUnsetsATraitUnlessItIsOlder) {
  identify(at(10), "consent", true);
  identify(at(9), "consent", std::monostate{});
  EXPECT_EQ(p_.find_trait("consent")->value, TraitValue{true});
  identify(at(11), "consent", std::monostate{});
  EXPECT_EQ(p_.find_trait("consent"), nullptr);
  identify(at(12), "unknown", std::monostate{});
  EXPECT_TRUE(p_.traits.empty());
}

TEST_F(Apply, TraitStatedLongestAgoLeavesWhenThereAreTooMany) {
  for (int i = 0; i < 64; ++i) identify(at(i == 7 ? 1 : 100 + i), "t" + std::to_string(i), 1.0);
  identify(at(500), "new", 1.0);
  EXPECT_EQ(p_.traits.size(), kMaxTraits);
  EXPECT_EQ(p_.find_trait("t7"), nullptr);
  EXPECT_NE(p_.find_trait("new"), nullptr);
}

// ---- interests and vector ----

TEST_F(Apply, InterestDecaysByHalfEachHalfLife) {
  take(make(EventType::kClick, at(0), "i", "c", "b"));
  EXPECT_NEAR(weight(Scope::kCategory, "c", at(0)), 2, 1e-12);
  EXPECT_NEAR(weight(Scope::kBrand, "b", at(0) + kWeek), 1, 1e-12);
  take(make(EventType::kCart, at(0) + kWeek, "i", "c"));
  EXPECT_NEAR(weight(Scope::kItem, "i", at(0) + kWeek), 6, 1e-12);
}

TEST_F(Apply, LateEventAddsWithItsOwnDecay) {
  take(make(EventType::kClick, at(0) + kWeek, "i", "c"));
  take(make(EventType::kPurchase, at(0), "i", "c"));
  EXPECT_NEAR(weight(Scope::kCategory, "c", at(0) + kWeek), 2 + 10 * 0.5, 1e-12);
  EXPECT_EQ(p_.find_interest(Scope::kCategory, name_hash("c"))->last_seen, at(0) + kWeek);
}

TEST_F(Apply, InterestRemembersCountsAndPurchaseTimes) {
  take(make(EventType::kView, at(1), "i"));
  take(make(EventType::kClick, at(2), "i"));
  take(make(EventType::kCart, at(3), "i"));
  for (const int64_t t : {5, 9, 7}) take(make_purchase(at(t), 1));
  take(make(EventType::kFavorite, at(99), "i"));  // leaves no trace
  const Interest* interest = p_.find_interest(Scope::kItem, name_hash("i"));
  EXPECT_EQ(interest->counts, (std::array<uint32_t, 4>{1, 1, 1, 3}));
  EXPECT_EQ(interest->first_purchase, at(5));
  EXPECT_EQ(interest->last_purchase, at(9));
  EXPECT_EQ(interest->last_seen, at(9));
}

TEST_F(Apply, HeavierNewcomerTakesThePlaceOfTheLightest) {
  plan_.interest_size = {2, 2, 2};
  plan_.windows = {{1, EventType::kClick, Scope::kCategory, kWeek, 2, 0, Duration{0}}};
  plan_.keyed_slots[0] = 2;
  take(make(EventType::kClick, at(0), "", "heavy"));
  take(make(EventType::kClick, at(0), "", "heavy"));
  take(make(EventType::kClick, at(0), "", "light"));
  take(make(EventType::kView, at(0), "", "lighter"));
  EXPECT_EQ(names(Scope::kCategory), (std::vector<std::string>{"heavy", "light"}));
  take(make(EventType::kClick, at(0), "", "equal"));  // as heavy as the lightest: stays out
  EXPECT_EQ(names(Scope::kCategory), (std::vector<std::string>{"heavy", "light"}));
  take(make(EventType::kClick, at(1), "", "fresher"));
  EXPECT_EQ(names(Scope::kCategory), (std::vector<std::string>{"heavy", "fresher"}));
  const Interest* fresher = p_.find_interest(Scope::kCategory, name_hash("fresher"));
  EXPECT_EQ(fresher->counts, (std::array<uint32_t, 4>{0, 1, 0, 0}));
  EXPECT_EQ(fresher->recent, (std::vector<Time>{at(1), kNoTime}));
  EXPECT_NEAR(interest_weight(p_, *fresher, at(1), plan_), 2, 1e-12);
}

TEST_F(Apply, NoInterestIsKeptWhereNoneIsWanted) {
  plan_.interest_size = {0, 16, 16};
  take(make(EventType::kClick, at(0), "i", "c", "b"));
  EXPECT_TRUE(p_.interests[0].empty());
  EXPECT_EQ(p_.interests[1].size(), 1U);
}

TEST_F(Apply, VectorIsTheWeightedSumOfNameSigns) {
  take(make(EventType::kCart, at(0), "i-1", "c-1", "b-1"));
  take(make(EventType::kView, at(0) + kWeek, "i-2"));
  for (size_t i = 0; i < kVectorSize; ++i) {
    const auto sign = [&](std::string_view name) { return (name_hash(name) >> i & 1) != 0 ? 1.0 : -1.0; };
    const double expected = 5 * (sign("i-1") + sign("c-1") + sign("b-1")) / 2 + sign("i-2");
    const double stored = static_cast<double>(p_.vector[i]);
    EXPECT_NEAR(weight_at(stored, at(0) + kWeek, p_.landmark, plan_.half_life), expected, 1e-5) << i;
  }
}

TEST_F(Apply, RebasingScalesByPowersOfTwoAndLosesNothing) {
  take(make(EventType::kClick, at(0), "i", "c"));
  take(make(EventType::kView, at(77), "i", "c"));
  const double before = p_.find_interest(Scope::kItem, name_hash("i"))->weight;
  const float component = p_.vector[3];
  const Time landmark = p_.landmark;
  const Time far = at(0) + 100 * kWeek;
  take(make(EventType::kView, far, "other"));
  EXPECT_EQ(p_.landmark, landmark_for(far, kWeek));
  const auto half_lives = static_cast<int>((p_.landmark - landmark) / kWeek);
  EXPECT_GE(half_lives, 99);
  const Interest* item = p_.find_interest(Scope::kItem, name_hash("i"));
  EXPECT_EQ(std::ldexp(item->weight, half_lives), before);
  EXPECT_NE(item->weight, 0);
  // What the old events left in the vector is below the last bit of what the new one adds.
  const float sign = (name_hash("other") >> 3 & 1) != 0 ? 1.0F : -1.0F;
  EXPECT_EQ(p_.vector[3], static_cast<float>(landmark_weight(far, p_.landmark, kWeek)) * sign + std::ldexp(component, -half_lives));
}

TEST_F(Apply, EventsAThousandYearsApartLeaveFiniteWeights) {
  take(make(EventType::kPurchase, time_from_ms(0), "i"));
  take(make(EventType::kPurchase, kLatestTime, "j"));
  take(make(EventType::kPurchase, time_from_ms(0), "k"));
  for (const auto& interest : p_.interests[2]) EXPECT_TRUE(std::isfinite(interest.weight)) << interest.name;
  EXPECT_EQ(weight(Scope::kItem, "i", kLatestTime), 0);
  EXPECT_NEAR(weight(Scope::kItem, "j", kLatestTime), 10, 1e-12);
  for (const float x : p_.vector) EXPECT_TRUE(std::isfinite(x));
}

// ---- windows ----

TEST_F(Apply, WindowOfTimesKeepsTheLatestInDescendingOrder) {
  plan_.windows = {{1, EventType::kClick, Scope::kUser, kWeek, 3, 0, Duration{0}}, {2, EventType::kCart, Scope::kUser, kWeek, 1, 3, Duration{0}}};
  plan_.recent_slots = 4;
  take(make(EventType::kView, at(1)));
  EXPECT_TRUE(p_.recent.empty());
  for (const int64_t t : {5, 3, 9, 1, 7, 9}) take(make(EventType::kClick, at(t)));
  take(make(EventType::kCart, at(2)));
  EXPECT_EQ(p_.recent, (std::vector<Time>{at(9), at(9), at(7), at(2)}));
}

TEST_F(Apply, TilesCountAndSumTheirEventsAndLeaveWhenNoClockCanSeeThem) {
  using namespace std::chrono_literals;
  plan_.windows = {{1, EventType::kPurchase, Scope::kUser, 2h, 0, 0, Duration{1h}}};
  const Time hour = time_from_ms(to_ms(at(0)) / 3'600'000 * 3'600'000);
  take(make_purchase(hour, 1));
  take(make_purchase(hour + 59min, 2));
  take(make_purchase(hour + 60min, 4));
  take(make_purchase(hour - 1ms, 8));
  ASSERT_EQ(p_.tiles.size(), 3U);
  EXPECT_EQ(p_.tiles[0].sum.micros, 8'000'000);
  EXPECT_EQ(p_.tiles[1].count, 2U);
  EXPECT_EQ(p_.tiles[1].sum.micros, 3'000'000);
  EXPECT_EQ(p_.tiles[2].index, to_ms(hour) / 3'600'000 + 1);
  // The first tile ended at `hour`: two hours and the lateness later it is gone.
  take(make_purchase(hour + 2h + 29'999ms, 1));
  EXPECT_EQ(p_.tiles.front().sum.micros, 8'000'000);
  take(make_purchase(hour + 2h + 30s, 1));
  EXPECT_EQ(p_.tiles.front().sum.micros, 3'000'000);
}

}  // namespace
}  // namespace segue::profile
