// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "lib/base/hash.h"
#include "lib/profile/plan.h"
#include "lib/profile/profile.h"

// Plans and profiles for the tests, the fuzz target and the bench of the page codec.
namespace segue::codec::samples {

inline constexpr int64_t kNow = 1'700'000'000'123;
inline Time at(int64_t seconds_before) { return time_from_ms(kNow - seconds_before * 1000); }

// Two user windows of times, one of tiles; two windows of an item, one of a category.
inline profile::Plan make_plan() {
  using event::EventType;
  using profile::Scope;
  using namespace std::chrono_literals;
  profile::Plan plan;
  plan.windows = {{name_hash("clicks 7d"), EventType::kClick, Scope::kUser, 168h, 3, 0, Duration{0}},
                  {name_hash("views 30d"), EventType::kView, Scope::kUser, 720h, 0, 0, profile::tile_width_for(720h)},
                  {name_hash("item clicks 7d"), EventType::kClick, Scope::kItem, 168h, 2, 0, Duration{0}},
                  {name_hash("carts 7d"), EventType::kCart, Scope::kUser, 168h, 1, 3, Duration{0}},
                  {name_hash("item purchases 90d"), EventType::kPurchase, Scope::kItem, 2160h, 4, 2, Duration{0}},
                  {name_hash("category clicks 1d"), EventType::kClick, Scope::kCategory, 24h, 5, 0, Duration{0}},
                  {name_hash("purchases 30d"), EventType::kPurchase, Scope::kUser, 720h, 0, 0, profile::tile_width_for(720h)}};
  plan.recent_slots = 4;
  plan.keyed_slots = {5, 0, 6};
  for (const char* stage : {"new", "potential", "buyer", "returning", "lapsed"}) plan.stage_ids.push_back(name_hash(stage));
  for (const char* name : {"high-value", "cart-abandoner", "cat", "常客"}) plan.definition_ids.push_back(name_hash(name));
  for (const char* move : {"new-to-potential", "potential-to-buyer", "buyer-to-lapsed"}) plan.move_ids.push_back(name_hash(move));
  return plan;
}

inline profile::Interest make_interest(const std::string& name, double weight, Time seen) {
  profile::Interest interest;
  interest.hash = name_hash(name);
  interest.name = name;
  interest.weight = weight;
  interest.last_seen = seen;
  interest.counts = {1, 0, 0, 0};
  return interest;
}

inline void fill_lists(profile::Profile& p) {
  p.event_ids = {0x1122334455667788, 2, 0xffffffffffffffff};
  p.recent = {at(0), at(5), kNoTime, at(86'400)};
  p.tiles = {{1, 150'000, 7, {12'345'678}}, {1, 150'003, 1, {0}}, {6, -2, 3, {-5}}};
  p.interests[0] = {make_interest("鞋类", 1.25, at(0)), make_interest("c-2", 1e-300, at(1'000'000))};
  p.interests[0][1].recent = {at(1'000'000), at(1'000'001), at(9'999'999), kNoTime, kNoTime};
  p.interests[1] = {make_interest("b-203", 0.1, at(0))};
  p.interests[2] = {make_interest("i-00042", 3.5, at(60)), make_interest("a name that is longer than any small string", 0, kNoTime)};
  auto& item = p.interests[2][0];
  item.counts = {300, 0, 2, 4'000'000'000};
  item.first_purchase = at(9'000'000);
  item.last_purchase = at(60);
  item.recent = {kNoTime, kNoTime, at(60), at(61), kNoTime, kNoTime};
  p.cart = {{name_hash("i-7"), at(3'600), "i-7"}, {name_hash("货-8"), at(10), "货-8"}};
  p.traits = {{"age", 41.5, at(100)}, {"region", std::string("上海"), at(99)}, {"consent", true, at(98)}, {"robot", false, at(97)}};
}

// Every field has a value that is not its default.
inline profile::Profile make_profile() {
  profile::Profile p;
  p.first_seen = at(10'000'000);
  p.last_seen = at(0);
  p.last_purchase = at(60);
  p.orders = 300;
  p.stage = 3;
  p.last_order = 0xfedcba9876543210;
  p.spend = {129'900'000};
  p.refunded = {5};
  p.outputs = 7;
  p.stage_since = at(-5);  // a timer's move can lie after the last event
  p.erased_until = at(11'000'000);
  p.landmark = at(400'000);
  p.counts[0] = 1'000, p.last[0] = at(0);
  p.counts[7] = 300, p.last[7] = at(60);
  p.counts[16] = 1, p.last[16] = at(77);
  for (size_t i = 0; i < profile::kVectorSize; ++i) p.vector[i] = (i % 3 == 0 ? -1.0F : 0.37F) * static_cast<float>(i);
  p.vector[1] = -0.0F;
  p.vector[2] = 1e-45F;
  fill_lists(p);
  p.members.set(0).set(3);
  p.keyed_members = {{2, name_hash("c-1"), "c-1"}, {2, name_hash("c-2"), "c-2"}, {3, name_hash("x"), "x"}};
  p.left_segments = {{0, at(12)}, {1, at(86'400)}};
  p.past_moves = {{6, at(500), 0, 0, 1, profile::Cause::kEvent, 2, {3, 86'400'000}, "e-1"}, {7, at(-5), 2, 3, 4, profile::Cause::kTimer, 0, {}, ""}};
  p.deadline = at(-2'592'000);
  return p;
}

// As many events as the reference job's average user has: five, one move.
inline profile::Profile make_average_profile() {
  profile::Profile p;
  p.first_seen = at(2'000'000);
  p.last_seen = at(0);
  p.stage = 1;
  p.outputs = 1;
  p.stage_since = at(0);
  p.landmark = at(500'000);
  p.counts[0] = 3, p.last[0] = at(86'400);
  p.counts[2] = 1, p.last[2] = at(1'000);
  p.counts[3] = 1, p.last[3] = at(0);
  std::minstd_rand random(7);
  for (float& x : p.vector) x = static_cast<float>(random() % 1000) / 64.0F - 8;
  for (int i = 0; i < 5; ++i) p.event_ids.push_back(hash64("e-00000001234" + std::to_string(i)));
  p.recent = {at(1'000), kNoTime, kNoTime, at(0)};
  const std::vector<std::vector<std::string>> names = {
      {"c-17", "c-3", "c-101", "c-8"}, {"b-203", "b-7", "b-55", "b-911"}, {"i-00042", "i-31337", "i-00007", "i-41000", "i-00113"}};
  for (size_t scope = 0; scope < names.size(); ++scope) {
    int64_t age = 2'000'000;
    for (const std::string& name : names[scope]) p.interests[scope].push_back(make_interest(name, 1.0 / static_cast<double>(age), at(age))), age /= 5;
  }
  p.cart = {{name_hash("i-00113"), at(0), "i-00113"}};
  p.members.set(2);
  p.past_moves = {{1, at(0), 0, 0, 1, profile::Cause::kEvent, 1, {1}, "e-000000012345"}};
  p.deadline = at(-604'800);
  return p;
}

// Two lists of times are the same when both say nothing: an empty one, and one of kNoTime only.
inline bool same_times(const std::vector<Time>& a, const std::vector<Time>& b) {
  const auto none = [](const std::vector<Time>& times) { return std::all_of(times.begin(), times.end(), [](Time t) { return t == kNoTime; }); };
  return a == b || (none(a) && none(b));
}

inline bool same_bits(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }

inline bool same(const profile::Interest& a, const profile::Interest& b) {
  return a.hash == b.hash && a.name == b.name && same_bits(a.weight, b.weight) && a.counts == b.counts && same_times(a.recent, b.recent) &&
         std::tie(a.last_seen, a.first_purchase, a.last_purchase) == std::tie(b.last_seen, b.first_purchase, b.last_purchase);
}
inline bool same(const profile::CartLine& a, const profile::CartLine& b) {
  return std::tie(a.hash, a.added, a.item_id) == std::tie(b.hash, b.added, b.item_id);
}
inline bool same(const profile::Trait& a, const profile::Trait& b) {
  return std::tie(a.name, a.value, a.stated) == std::tie(b.name, b.value, b.stated);
}
inline bool same(const profile::Tile& a, const profile::Tile& b) {
  return std::tie(a.window, a.index, a.count, a.sum) == std::tie(b.window, b.index, b.count, b.sum);
}
inline bool same(const profile::KeyedMember& a, const profile::KeyedMember& b) {
  return std::tie(a.definition, a.key_hash, a.key) == std::tie(b.definition, b.key_hash, b.key);
}
inline bool same(const profile::LeftSegment& a, const profile::LeftSegment& b) {
  return std::tie(a.definition, a.at) == std::tie(b.definition, b.at);
}
inline bool same(const profile::PastMove& a, const profile::PastMove& b) {
  return std::tie(a.n, a.at, a.move, a.from, a.to, a.cause, a.compared_count, a.event_id) ==
             std::tie(b.n, b.at, b.move, b.from, b.to, b.cause, b.compared_count, b.event_id) &&
         std::equal(a.compared.begin(), a.compared.end(), b.compared.begin(), same_bits);
}
template <class Value>
bool same(const std::vector<Value>& a, const std::vector<Value>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Value& x, const Value& y) { return same(x, y); });
}

// The first field that differs; empty when the profiles are the same bit for bit.
inline std::string difference_of(const profile::Profile& a, const profile::Profile& b) {
  if (std::tie(a.first_seen, a.last_seen, a.last_purchase, a.stage_since, a.erased_until, a.landmark) !=
      std::tie(b.first_seen, b.last_seen, b.last_purchase, b.stage_since, b.erased_until, b.landmark))
    return "times";
  if (std::tie(a.orders, a.last_order, a.spend, a.refunded) != std::tie(b.orders, b.last_order, b.spend, b.refunded)) return "orders and money";
  if (std::tie(a.stage, a.outputs, a.deadline) != std::tie(b.stage, b.outputs, b.deadline)) return "stage, outputs or deadline";
  if (a.counts != b.counts || a.last != b.last) return "counts";
  if (std::memcmp(a.vector.data(), b.vector.data(), sizeof a.vector) != 0) return "vector";
  if (a.event_ids != b.event_ids || a.event_ids_next != b.event_ids_next) return "event ids";
  if (!same_times(a.recent, b.recent)) return "recent";
  if (!same(a.tiles, b.tiles)) return "tiles";
  for (size_t i = 0; i < profile::kInterestScopes; ++i)
    if (!same(a.interests[i], b.interests[i])) return "interests " + std::to_string(i);
  if (!same(a.cart, b.cart)) return "cart";
  if (!same(a.traits, b.traits)) return "traits";
  if (a.members != b.members) return "members";
  if (!same(a.keyed_members, b.keyed_members)) return "keyed members";
  if (!same(a.left_segments, b.left_segments)) return "left segments";
  if (!same(a.past_moves, b.past_moves)) return "past moves";
  return "";
}

}  // namespace segue::codec::samples
