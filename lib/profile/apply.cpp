// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "lib/base/hash.h"
#include "lib/base/prefetch.h"
#include "lib/profile/decay.h"
#include "lib/profile/profile.h"

namespace segue::profile {
namespace {

using event::Event;
using event::EventType;
using event::Item;

// Weights are rebased before they are this many half-lives past the landmark: 2^64 times the largest weight is far from float's end.
constexpr int64_t kMaxHalfLives = 64;

// Four dimensions at once, in a processor's register where it has such.
using Four = float __attribute__((vector_size(16)));

// For each four bits, four floats: bit set +1, clear -1. Adding signs from a table is free of branches.
constexpr std::array<Four, 16> kSigns = [] {
  std::array<Four, 16> signs{};
  const auto sign = [](size_t bits, size_t bit) { return (bits >> bit & 1) != 0 ? 1.0F : -1.0F; };
  for (size_t bits = 0; bits < 16; ++bits) signs[bits] = Four{sign(bits, 0), sign(bits, 1), sign(bits, 2), sign(bits, 3)};
  return signs;
}();

// Adds weight x (the sum of the names' signs). One rounding of the product and one of the sum per dimension: part of what a replay repeats.
template <size_t kNames>
void add_signs_of(std::array<float, kVectorSize>& vector, float weight, std::array<uint64_t, kInterestScopes> hashes) {
  for (size_t at = 0; at < kVectorSize; at += 4) {
    Four sum{};
    for (size_t k = 0; k < kNames; ++k) {
      sum += kSigns[hashes[k] & 15];
      hashes[k] >>= 4;
    }
    Four out;
    std::memcpy(&out, &vector[at], sizeof out);
    out += weight * sum;
    std::memcpy(&vector[at], &out, sizeof out);
  }
}

void add_signs(std::array<float, kVectorSize>& vector, float weight, const std::array<uint64_t, kInterestScopes>& hashes, size_t count) {
  if (count == 3) return add_signs_of<3>(vector, weight, hashes);
  if (count == 2) return add_signs_of<2>(vector, weight, hashes);
  if (count == 1) return add_signs_of<1>(vector, weight, hashes);
}

// Brings the landmark near `ts`. Whole half-lives: weights change by powers of two, that is, exactly.
void rebase(Profile& profile, Time ts, const Plan& plan) {
  if (profile.landmark == kNoTime) profile.landmark = landmark_for(ts, plan.half_life);
  if (ts - profile.landmark < kMaxHalfLives * plan.half_life) return;
  const Time landmark = landmark_for(ts, plan.half_life);
  const int64_t half_lives = std::min<int64_t>((landmark - profile.landmark) / plan.half_life, 4096);
  const int shift = -static_cast<int>(half_lives);
  for (auto& table : profile.interests)
    for (Interest& interest : table) interest.weight = std::ldexp(interest.weight, shift);
  for (InterestList& list : profile.interest_lists) list.clear();
  for (float& x : profile.vector) x = std::ldexp(x, shift);
  profile.landmark = landmark;
}

// From this size on a table has its list. Most users' tables stay below, and do without the memory.
constexpr size_t kListedTable = 8;

bool has_list(const Profile& profile, size_t scope) { return profile.interest_lists[scope].size() == profile.interests[scope].size(); }

void list_interests(Profile& profile, size_t scope) {
  InterestList& list = profile.interest_lists[scope];
  list.clear();
  for (const Interest& interest : profile.interests[scope]) list.push(interest.hash, interest.weight);
}

constexpr size_t kNotFound = InterestList::kNotFound;

size_t find_interest(Profile& profile, size_t scope, uint64_t hash) {
  const auto& table = profile.interests[scope];
  if (table.size() < kListedTable) {
    for (size_t i = 0; i < table.size(); ++i)
      if (table[i].hash == hash) return i;
    return kNotFound;
  }
  if (!has_list(profile, scope)) list_interests(profile, scope);
  return profile.interest_lists[scope].find(hash, [&](size_t i) { return table[i].hash == hash; });
}

size_t lightest_interest(const Profile& profile, size_t scope) {
  const auto& table = profile.interests[scope];
  if (has_list(profile, scope)) return profile.interest_lists[scope].lightest();
  const auto lightest = std::min_element(table.begin(), table.end(), [](const Interest& a, const Interest& b) { return a.weight < b.weight; });
  return static_cast<size_t>(lightest - table.begin());
}

double weight_of(const Profile& profile, size_t scope, size_t place) {
  return has_list(profile, scope) ? profile.interest_lists[scope].weight(place) : profile.interests[scope][place].weight;
}

// What one line does to one table, in two steps: first where, and then, after other work, what. In between the entry's memory can arrive.
struct Touch {
  Scope scope = Scope::kItem;
  std::string_view name;
  uint64_t hash = 0;
  size_t place = kNotFound;
  bool known = false;  // else the place is behind the last entry, or the lightest entry's
};

Touch find_place(Profile& profile, Scope scope, std::string_view name, const Plan& plan) {
  const size_t index = interest_index(scope);
  const auto& table = profile.interests[index];
  Touch touch{scope, name, name_hash(name)};
  touch.place = find_interest(profile, index, touch.hash);
  touch.known = touch.place != kNotFound;
  if (!touch.known && table.size() < plan.interest_size[index]) touch.place = table.size();
  if (!touch.known && touch.place == kNotFound && !table.empty()) touch.place = lightest_interest(profile, index);
  if (touch.place < table.size()) prefetch_bytes(&table[touch.place], sizeof(Interest));
  return touch;
}

// The entry that is touched: a known one, a new one, or the lightest's when `weight` is more. Null when the name gets none.
Interest* reach_interest(Profile& profile, const Touch& touch, size_t capacity, double weight) {
  const size_t index = interest_index(touch.scope);
  auto& table = profile.interests[index];
  auto& list = profile.interest_lists[index];
  if (touch.known) return &table[touch.place];
  if (capacity == 0) return nullptr;
  if (touch.place == table.size()) {
    if (touch.place >= kListedTable) list.push(touch.hash, 0);
    table.emplace_back();
  } else {
    if (!(weight > weight_of(profile, index, touch.place))) return nullptr;
    if (has_list(profile, index)) list.set(touch.place, touch.hash, 0);
    Interest& place = table[touch.place];
    place.weight = 0;
    place.last_seen = place.first_purchase = place.last_purchase = kNoTime;
    place.counts = {};
    std::fill(place.recent.begin(), place.recent.end(), kNoTime);
  }
  Interest& place = table[touch.place];
  place.hash = touch.hash;
  place.name.assign(touch.name);
  return &place;
}

// Keeps the largest times, in descending order.
void keep_time(Time* times, size_t keep, Time ts) {
  if (times[keep - 1] >= ts) return;
  size_t at = keep - 1;
  for (; at > 0 && times[at - 1] < ts; --at) times[at] = times[at - 1];
  times[at] = ts;
}

void keep_keyed_windows(Interest& interest, Scope scope, const Event& event, const Plan& plan) {
  const size_t slots = plan.keyed_slots[interest_index(scope)];
  if (slots == 0) return;
  if (interest.recent.size() != slots) interest.recent.assign(slots, kNoTime);
  for (const Window& window : plan.windows)
    if (window.scope == scope && window.type == event.type) keep_time(&interest.recent[window.slot], window.keep, event.ts);
}

void touch_interest(Profile& profile, const Touch& touch, double weight, const Event& event, const Plan& plan) {
  const size_t index = interest_index(touch.scope);
  Interest* const interest = reach_interest(profile, touch, plan.interest_size[index], weight);
  if (interest == nullptr) return;
  const double sum = weight_of(profile, index, touch.place) + weight;
  interest->weight = sum;
  if (has_list(profile, index)) profile.interest_lists[index].set_weight(touch.place, sum);
  interest->last_seen = std::max(interest->last_seen, event.ts);
  if (event.type == EventType::kPurchase) {
    interest->first_purchase = interest->first_purchase == kNoTime ? event.ts : std::min(interest->first_purchase, event.ts);
    interest->last_purchase = std::max(interest->last_purchase, event.ts);
  }
  if (const int place = interest_count(event.type); place >= 0) ++interest->counts[static_cast<size_t>(place)];
  keep_keyed_windows(*interest, touch.scope, event, plan);
}

void apply_interests(Profile& profile, const Event& event, const Plan& plan) {
  const double base = plan.weights[event::index(event.type)];
  if (base == 0) return;
  const auto lines = event.lines();
  if (lines.empty()) return;
  rebase(profile, event.ts, plan);
  const double weight = base * landmark_weight(event.ts, profile.landmark, plan.half_life);
  for (const Item& line : lines) {
    std::array<Touch, kInterestScopes> touches;
    std::array<uint64_t, kInterestScopes> hashes{};
    size_t count = 0;
    const auto find = [&](Scope scope, std::string_view name) {
      if (name.empty()) return;
      touches[count] = find_place(profile, scope, name, plan);
      hashes[count] = touches[count].hash;
      ++count;
    };
    find(Scope::kItem, line.item_id);
    find(Scope::kCategory, line.category);
    find(Scope::kBrand, line.brand);
    add_signs(profile.vector, static_cast<float>(weight), hashes, count);
    for (size_t i = 0; i < count; ++i) touch_interest(profile, touches[i], weight, event, plan);
  }
}

// Drops tiles that no evaluation can see any more: the clock is never further behind the user's latest event than the lateness.
void drop_old_tiles(Profile& profile, const Plan& plan) {
  std::erase_if(profile.tiles, [&](const Tile& tile) {
    const Window& window = plan.windows[tile.window];
    return time_from_ms(0) + (tile.index + 1) * window.tile_width + window.length <= profile.last_seen - plan.lateness;
  });
}

void apply_windows(Profile& profile, const Event& event, const Plan& plan) {
  for (size_t i = 0; i < plan.windows.size(); ++i) {
    const Window& window = plan.windows[i];
    if (window.scope != Scope::kUser || window.type != event.type) continue;
    if (window.keep > 0) {
      if (profile.recent.size() != plan.recent_slots) profile.recent.assign(plan.recent_slots, kNoTime);
      keep_time(&profile.recent[window.slot], window.keep, event.ts);
      continue;
    }
    const int64_t index = to_ms(event.ts) / window.tile_width.count();
    const auto key = std::pair{static_cast<uint16_t>(i), index};
    auto tile = std::lower_bound(profile.tiles.begin(), profile.tiles.end(), key, [](const Tile& t, const auto& k) {
      return std::pair{t.window, t.index} < k;
    });
    if (tile == profile.tiles.end() || std::pair{tile->window, tile->index} != key) tile = profile.tiles.insert(tile, {key.first, index, 0, {}});
    ++tile->count;
    tile->sum = add(tile->sum, event.total());
    drop_old_tiles(profile, plan);
  }
}

void remove_from_cart(Profile& profile, const Event& event) {
  for (const Item& line : event.lines()) std::erase_if(profile.cart, [&](const CartLine& c) { return c.item_id == line.item_id; });
}

void add_to_cart(Profile& profile, const Event& event) {
  for (const Item& line : event.lines()) {
    if (line.item_id.empty()) continue;
    if (std::any_of(profile.cart.begin(), profile.cart.end(), [&](const CartLine& c) { return c.item_id == line.item_id; })) continue;
    if (profile.cart.size() == kMaxCart) profile.cart.erase(profile.cart.begin());
    profile.cart.push_back({name_hash(line.item_id), event.ts, std::string(line.item_id)});
  }
}

void apply_purchase(Profile& profile, const Event& event) {
  const uint64_t order = event.order_id.empty() ? 0 : hash64(event.order_id);
  if (order == 0 || order != profile.last_order) ++profile.orders;
  profile.last_order = order;
  profile.spend = add(profile.spend, event.total());
  profile.last_purchase = std::max(profile.last_purchase, event.ts);
  remove_from_cart(profile, event);
}

void state_trait(Profile& profile, const event::Trait& stated, Time ts) {
  auto known = std::find_if(profile.traits.begin(), profile.traits.end(), [&](const Trait& t) { return t.name == stated.name; });
  if (known != profile.traits.end() && known->stated > ts) return;
  if (std::holds_alternative<std::monostate>(stated.value)) {
    if (known != profile.traits.end()) profile.traits.erase(known);
    return;
  }
  if (known == profile.traits.end()) {
    if (profile.traits.size() == kMaxTraits)
      profile.traits.erase(
          std::min_element(profile.traits.begin(), profile.traits.end(), [](const Trait& a, const Trait& b) { return a.stated < b.stated; }));
    known = profile.traits.insert(profile.traits.end(), Trait{std::string(stated.name), false, ts});
  }
  known->stated = ts;
  if (const auto* text = std::get_if<std::string_view>(&stated.value)) known->value = std::string(*text);
  if (const auto* number = std::get_if<double>(&stated.value)) known->value = *number;
  if (const auto* truth = std::get_if<bool>(&stated.value)) known->value = *truth;
}

}  // namespace

void apply(Profile& profile, const Event& event, const Plan& plan) {
  const size_t type = event::index(event.type);
  ++profile.counts[type];
  profile.last[type] = std::max(profile.last[type], event.ts);
  profile.first_seen = profile.first_seen == kNoTime ? event.ts : std::min(profile.first_seen, event.ts);
  profile.last_seen = std::max(profile.last_seen, event.ts);
  switch (event.type) {
    case EventType::kPurchase:
      apply_purchase(profile, event);
      break;
    case EventType::kRefund:
      profile.refunded = add(profile.refunded, event.total());
      break;
    case EventType::kCart:
      add_to_cart(profile, event);
      break;
    case EventType::kCartRemove:
      remove_from_cart(profile, event);
      break;
    case EventType::kIdentify:
      for (const event::Trait& trait : event.traits) state_trait(profile, trait, event.ts);
      break;
    default:
      break;
  }
  apply_windows(profile, event, plan);
  apply_interests(profile, event, plan);
}

}  // namespace segue::profile
