// SPDX-License-Identifier: Apache-2.0
// apply() against a model that keeps every event and recounts: no landmark, no tables, powers in long double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>

#include "lib/base/hash.h"
#include "lib/profile/profile.h"
#include "tests/unit/profile/events.h"

namespace segue::profile {
namespace {

using event::EventType;
using events::at;

struct Past {
  EventType type;
  Time ts;
  std::string item, category, brand, order;
  int64_t price;
};

constexpr Duration kHalfLife = std::chrono::hours{30};
constexpr size_t kPlaces = 4;

Plan make_plan() {
  using namespace std::chrono_literals;
  Plan plan;
  plan.half_life = kHalfLife;
  plan.interest_size = {kPlaces, kPlaces, kPlaces};
  plan.windows = {{1, EventType::kClick, Scope::kUser, 24h, 5, 0, Duration{0}},
                  {2, EventType::kView, Scope::kUser, 24h, 0, 0, Duration{1h}},
                  {3, EventType::kClick, Scope::kCategory, 24h, 3, 0, Duration{0}}};
  plan.recent_slots = 5;
  plan.keyed_slots = {3, 0, 0};
  return plan;
}

std::vector<Past> make_history(std::mt19937& random) {
  const auto some = [&](size_t limit) { return static_cast<size_t>(random()) % limit; };
  constexpr EventType kTypes[] = {EventType::kView,     EventType::kClick,  EventType::kCart,
                                  EventType::kPurchase, EventType::kRefund, EventType::kSearch};
  // Some users come back after a time in which the landmark has to move.
  int64_t now = 0;
  std::vector<Past> history;
  for (size_t i = 20 + some(200); i > 0; --i) {
    now += static_cast<int64_t>(some(50) == 0 ? some(30'000'000) : some(20'000));
    // One event in four comes so late that it is older than all that the windows keep.
    const auto late = static_cast<int64_t>(some(4) == 0 ? some(2'000'000'000) : some(40'000'000));
    const auto name = [&](const char* prefix, size_t count) { return some(8) == 0 ? std::string() : prefix + std::to_string(some(count)); };
    history.push_back({kTypes[some(6)], time_from_ms(to_ms(at(now)) - late), name("i", 9), name("c", 7), name("b", 3),
                       some(2) ? "o" + std::to_string(some(3)) : "", static_cast<int64_t>(some(5'000'000))});
  }
  return history;
}

event::Event event_of(const Past& past) {
  event::Event e = events::make(past.type, past.ts, past.item, past.category, past.brand);
  e.order_id = past.order;
  e.item.price = {past.price};
  return e;
}

long double weight_of(EventType type) {
  switch (type) {
    case EventType::kView:
      return 1;
    case EventType::kClick:
      return 2;
    case EventType::kCart:
      return 5;
    case EventType::kPurchase:
      return 10;
    default:
      return 0;
  }
}

// Seen from the start of the log: grows without bound, which long double bears.
long double worth(const Past& past) {
  return weight_of(past.type) * exp2l(static_cast<long double>(to_ms(past.ts) - events::kStart) / static_cast<long double>(kHalfLife.count()));
}

struct Place {
  std::string name;
  std::vector<Past> events;  // since it is remembered
  long double weight() const {
    long double sum = 0;
    for (const Past& past : events) sum += worth(past);
    return sum;
  }
};

std::vector<Place> places(const std::vector<Past>& history, std::string Past::*name) {
  std::vector<Place> table;
  for (const Past& past : history) {
    if (weight_of(past.type) == 0 || (past.*name).empty()) continue;
    auto place = std::find_if(table.begin(), table.end(), [&](const Place& p) { return p.name == past.*name; });
    if (place == table.end() && table.size() < kPlaces) place = table.insert(table.end(), Place{past.*name, {}});
    if (place == table.end()) {
      place = std::min_element(table.begin(), table.end(), [](const Place& a, const Place& b) { return a.weight() < b.weight(); });
      if (worth(past) <= place->weight()) continue;
      *place = {past.*name, {}};
    }
    place->events.push_back(past);
  }
  return table;
}

std::vector<Time> latest(const std::vector<Past>& history, EventType type, size_t keep) {
  std::vector<Time> times;
  for (const Past& past : history)
    if (past.type == type) times.push_back(past.ts);
  std::sort(times.rbegin(), times.rend());
  times.resize(keep, kNoTime);
  return times;
}

void expect_counters(const Profile& p, const std::vector<Past>& history) {
  std::map<EventType, uint32_t> counts;
  Time first = kNever, last = kNoTime, last_purchase = kNoTime;
  uint32_t orders = 0;
  int64_t spend = 0, refunded = 0;
  std::string order;
  for (const Past& past : history) {
    ++counts[past.type];
    first = std::min(first, past.ts);
    last = std::max(last, past.ts);
    if (past.type == EventType::kRefund) refunded += past.price;
    if (past.type != EventType::kPurchase) continue;
    last_purchase = std::max(last_purchase, past.ts);
    spend += past.price;
    if (past.order.empty() || past.order != order) ++orders;
    order = past.order;
  }
  for (const auto& [type, count] : counts) ASSERT_EQ(p.counts[event::index(type)], count);
  ASSERT_EQ(p.first_seen, first);
  ASSERT_EQ(p.last_seen, last);
  ASSERT_EQ(p.last_purchase, last_purchase);
  ASSERT_EQ(p.orders, orders);
  ASSERT_EQ(p.spend.micros, spend);
  ASSERT_EQ(p.refunded.micros, refunded);
}

void expect_interests(const Profile& p, const Plan& plan, const std::vector<Past>& history, Scope scope, std::string Past::*name) {
  const auto expected = places(history, name);
  const auto& table = p.interests[interest_index(scope)];
  ASSERT_EQ(table.size(), expected.size());
  // As seen from the start of the log, like worth(): in half-lives.
  const auto landmark = static_cast<long double>(to_ms(p.landmark) - events::kStart) / static_cast<long double>(kHalfLife.count());
  for (size_t i = 0; i < table.size(); ++i) {
    ASSERT_EQ(table[i].name, expected[i].name) << "place " << i;
    ASSERT_EQ(table[i].hash, name_hash(expected[i].name));
    const long double weight = expected[i].weight();
    ASSERT_LT(fabsl(static_cast<long double>(table[i].weight) * exp2l(landmark) - weight), 1e-12L * weight) << table[i].name;
    Time seen = kNoTime;
    for (const Past& past : expected[i].events) seen = std::max(seen, past.ts);
    ASSERT_EQ(table[i].last_seen, seen);
    if (scope != Scope::kCategory || table[i].recent.empty()) continue;
    ASSERT_EQ(table[i].recent, latest(expected[i].events, EventType::kClick, plan.keyed_slots[0]));
  }
}

void expect_vector(const Profile& p, const std::vector<Past>& history) {
  if (p.landmark == kNoTime) return;
  const auto landmark = static_cast<long double>(to_ms(p.landmark) - events::kStart) / static_cast<long double>(kHalfLife.count());
  for (size_t i = 0; i < kVectorSize; ++i) {
    long double sum = 0, size = 0;
    for (const Past& past : history)
      for (const std::string* name : {&past.item, &past.category, &past.brand}) {
        if (name->empty()) continue;
        sum += (name_hash(*name) >> i & 1) != 0 ? worth(past) : -worth(past);
        size += worth(past);
      }
    // What has decayed by a hundred and more half-lives when the landmark moves is below float's normal range.
    const long double underflow = static_cast<long double>(history.size()) * std::numeric_limits<float>::denorm_min();
    ASSERT_LT(fabsl(static_cast<long double>(p.vector[i]) * exp2l(landmark) - sum), 1e-5L * size + underflow * exp2l(landmark)) << i;
  }
}

// A tile is there unless its last event could no longer be seen when the latest view came.
void expect_tiles(const Profile& p, const Plan& plan, const std::vector<Past>& history) {
  const Window& window = plan.windows[1];
  std::map<int64_t, std::pair<uint32_t, int64_t>> tiles;
  Time seen = kNoTime;
  for (const Past& past : history) {
    seen = std::max(seen, past.ts);
    if (past.type != EventType::kView) continue;
    auto& tile = tiles[to_ms(past.ts) / window.tile_width.count()];
    ++tile.first, tile.second += past.price;
    std::erase_if(tiles,
                  [&](const auto& t) { return time_from_ms((t.first + 1) * window.tile_width.count()) + window.length <= seen - plan.lateness; });
  }
  ASSERT_EQ(p.tiles.size(), tiles.size());
  size_t i = 0;
  for (const auto& [index, tile] : tiles) {
    ASSERT_EQ(p.tiles[i].index, index);
    ASSERT_EQ(p.tiles[i].count, tile.first);
    ASSERT_EQ(p.tiles[i].sum.micros, tile.second);
    ++i;
  }
}

TEST(ApplyModel, AgreesWithARecountOfRandomHistories) {
  const Plan plan = make_plan();
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto history = make_history(random);
    Profile p;
    for (const Past& past : history) apply(p, event_of(past), plan);
    expect_counters(p, history);
    expect_interests(p, plan, history, Scope::kCategory, &Past::category);
    expect_interests(p, plan, history, Scope::kBrand, &Past::brand);
    expect_interests(p, plan, history, Scope::kItem, &Past::item);
    expect_vector(p, history);
    expect_tiles(p, plan, history);
    if (!p.recent.empty()) {
      ASSERT_EQ(p.recent, latest(history, EventType::kClick, 5));
    }
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace segue::profile
