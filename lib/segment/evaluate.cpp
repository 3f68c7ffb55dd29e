// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "lib/base/assert.h"
#include "lib/profile/decay.h"
#include "lib/segment/crossing.h"

namespace segue::segment {
namespace {

using profile::Interest;
using profile::Scope;
using profile::Tile;
using profile::Window;

// A number as a function of time: base + slope x t (t in ms since 1970), or, decaying, a weight of `base` against the profile's landmark. True until
// `until`. Times and durations are in ms; below 2^53 doubles hold them exactly.
struct Quantity {
  double base = 0;
  double slope = 0;
  Time until = kNever;
  bool known = true;
  bool decays = false;
};

constexpr Quantity kUnknown{.known = false};

Quantity number(double value) { return {.base = value}; }
Quantity moment(Time t) { return t == kNoTime ? kUnknown : number(static_cast<double>(to_ms(t))); }
double amount(Money money) { return static_cast<double>(money.micros) / 1e6; }

// ---- windows

std::span<const Time> kept_times(const Window& window, const Subject& s) {
  const std::vector<Time>& recent = window.scope == Scope::kUser ? s.profile.recent : s.key->recent;
  if (recent.size() < size_t{window.slot} + window.keep) return {};
  return {recent.data() + window.slot, window.keep};
}

Time window_end(const Node& node, const Subject& s) { return node.at_event ? s.event->ts : s.now; }

uint32_t kept_count(const Window& window, Time end, std::span<const Time> times) {
  const Time limit = end - window.length;
  uint32_t count = 0;
  while (count < times.size() && times[count] > limit) ++count;
  return count;
}

// Exact although only the latest times are kept: the compiler keeps one more than the largest number compared with.
Verdict count_in_range(const Node& node, const Subject& s) {
  const Window& window = s.compiled.plan.windows[node.index];
  const auto times = kept_times(window, s);
  const uint32_t count = kept_count(window, window_end(node, s), times);
  const bool inside = count >= node.low && count <= node.high;
  Verdict verdict{inside != node.flag, kNever};
  if (node.at_event) return verdict;
  if (count > node.high) verdict.holds_until = times[node.high] + window.length;
  if (inside && node.low > 0) verdict.holds_until = times[node.low - 1] + window.length;
  return verdict;
}

Time tile_leaves(const Tile& tile, const Window& window) { return time_from_ms((tile.index + 1) * window.tile_width.count()) + window.length; }

// The tiles of a window that count at `end`, oldest first.
std::span<const Tile> tiles_at(uint16_t window_index, const Subject& s, Time end) {
  const Window& window = s.compiled.plan.windows[window_index];
  const auto& tiles = s.profile.tiles;
  auto first = std::lower_bound(tiles.begin(), tiles.end(), window_index, [](const Tile& t, uint16_t w) { return t.window < w; });
  auto last = first;
  while (last != tiles.end() && last->window == window_index) {
    if (tile_leaves(*last, window) <= end) first = last + 1;
    ++last;
  }
  return {first, last};
}

struct Total {
  int64_t count = 0;
  Money sum;
  double of(bool sums) const { return sums ? amount(sum) : static_cast<double>(count); }
};

Total total_of(std::span<const Tile> tiles) {
  Total total;
  for (const Tile& tile : tiles) total.count += tile.count, total.sum = add(total.sum, tile.sum);
  return total;
}

// Without new events tiles only leave, so the comparison's next turn is found by taking them away from the oldest on.
Verdict tiled_compare(const Node& node, const Subject& s) {
  const auto tiles = tiles_at(node.index, s, window_end(node, s));
  Total total = total_of(tiles);
  const Verdict verdict{holds(node.comparison, total.of(node.flag), node.number), kNever};
  if (node.at_event) return verdict;
  for (const Tile& tile : tiles) {
    total.count -= tile.count;
    total.sum = subtract(total.sum, tile.sum);
    if (holds(node.comparison, total.of(node.flag), node.number) != verdict.value)
      return {verdict.value, tile_leaves(tile, s.compiled.plan.windows[node.index])};
  }
  return verdict;
}

Quantity window_quantity(const Node& node, const Subject& s) {
  const auto tiles = tiles_at(node.index, s, window_end(node, s));
  Quantity quantity = number(total_of(tiles).of(node.measure == Measure::kWindowSum));
  if (!node.at_event && !tiles.empty()) quantity.until = tile_leaves(tiles.front(), s.compiled.plan.windows[node.index]);
  return quantity;
}

// ---- values

const profile::TraitValue* find_trait(const Node& node, const Subject& s) {
  const profile::Trait* trait = s.profile.find_trait(s.compiled.texts[node.index]);
  return trait == nullptr ? nullptr : &trait->value;
}

std::optional<YearlyDay> yearly_day(const Node& node, const Subject& s) {
  const profile::TraitValue* value = find_trait(node, s);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return text == nullptr ? std::nullopt : find_yearly_day(*text);
}

// All weights of a table decay alike, so that shares change with events only.
Quantity share(const Interest* interest, Scope scope, const Subject& s) {
  double sum = 0;
  for (const Interest& other : s.profile.interests[interest_index(scope)]) sum += other.weight;
  return number(interest == nullptr || !(sum > 0) ? 0 : interest->weight / sum);
}

Quantity cycle(const Interest& key) {
  const uint32_t purchases = key.counts[static_cast<size_t>(profile::interest_count(event::EventType::kPurchase))];
  if (purchases < 2) return kUnknown;
  return number(static_cast<double>((key.last_purchase - key.first_purchase).count()) / (purchases - 1));
}

Quantity calendar_quantity(const Node& node, const Subject& s) {
  const LocalCalendar& calendar = s.compiled.calendar;
  Quantity quantity = kUnknown;
  if (node.measure == Measure::kDaysUntil) {
    const auto day = yearly_day(node, s);
    if (!day) return quantity;
    quantity = number(static_cast<double>(calendar.days_until(*day, s.now)));
  } else {
    const auto today = calendar.day(s.now);
    const std::chrono::year_month_day date{today};
    if (node.measure == Measure::kWeekday) quantity = number(std::chrono::weekday{today}.iso_encoding());
    if (node.measure == Measure::kMonth) quantity = number(static_cast<unsigned>(date.month()));
    if (node.measure == Measure::kDayOfMonth) quantity = number(static_cast<unsigned>(date.day()));
  }
  quantity.until = calendar.day_holds_until(s.now);
  return quantity;
}

Quantity event_quantity(Measure which, const event::Event& event) {
  double value = 0;
  if (which == Measure::kEventTotal) return number(amount(event.total()));
  if (which == Measure::kEventRating) {
    if (event.details == nullptr || event.details->rating == 0) return kUnknown;
    return number(event.details->rating);
  }
  for (const event::Item& line : event.lines()) {
    if (which == Measure::kEventPrice) value = std::max(value, amount(line.price));
    if (which == Measure::kEventQuantity) value += static_cast<double>(line.quantity);
  }
  return number(value);
}

Quantity key_quantity(const Node& node, const Subject& s) {
  const Interest& key = *s.key;
  switch (node.measure) {
    case Measure::kKeyCount:
      return number(key.counts[node.index]);
    case Measure::kKeyLastSeen:
      return moment(key.last_seen);
    case Measure::kKeyFirstPurchase:
      return moment(key.first_purchase);
    case Measure::kKeyLastPurchase:
      return moment(key.last_purchase);
    case Measure::kKeyAffinity:
      return {.base = key.weight, .decays = true};
    case Measure::kKeyShare:
      return share(s.key, s.scope, s);
    default:
      return cycle(key);
  }
}

Quantity interest_quantity(const Node& node, const Subject& s) {
  const auto scope = static_cast<Scope>(node.source);
  const Interest* interest = s.profile.find_interest(scope, node.hash);
  if (node.measure == Measure::kShare) return share(interest, scope, s);
  return {.base = interest == nullptr ? 0 : interest->weight, .decays = true};
}

Quantity measure(const Node& node, const Subject& s) {
  const profile::Profile& p = s.profile;
  switch (node.measure) {
    case Measure::kOrders:
      return number(p.orders);
    case Measure::kSpend:
      return number(amount(p.spend));
    case Measure::kRefunded:
      return number(amount(p.refunded));
    case Measure::kCount:
      return number(p.counts[node.index]);
    case Measure::kLast:
      return moment(p.last[node.index]);
    case Measure::kWindowCount:
    case Measure::kWindowSum:
      return window_quantity(node, s);
    case Measure::kFirstSeen:
      return moment(p.first_seen);
    case Measure::kLastSeen:
      return moment(p.last_seen);
    case Measure::kLastPurchase:
      return moment(p.last_purchase);
    case Measure::kStageSince:
      return moment(p.stage_since);
    case Measure::kCartSize:
      return number(static_cast<double>(p.cart.size()));
    case Measure::kCartOldest: {
      // Oldest by event time: a late event may have put its line behind younger ones.
      Time oldest = kNever;
      for (const profile::CartLine& line : p.cart) oldest = std::min(oldest, line.added);
      return oldest == kNever ? kUnknown : moment(oldest);
    }
    case Measure::kAffinity:
    case Measure::kShare:
      return interest_quantity(node, s);
    case Measure::kTraitNumber: {
      const profile::TraitValue* value = find_trait(node, s);
      const auto* stated = value == nullptr ? nullptr : std::get_if<double>(value);
      return stated == nullptr ? kUnknown : number(*stated);
    }
    case Measure::kNow:
      return {.slope = 1};
    case Measure::kDaysUntil:
    case Measure::kWeekday:
    case Measure::kMonth:
    case Measure::kDayOfMonth:
      return calendar_quantity(node, s);
    case Measure::kEventPrice:
    case Measure::kEventTotal:
    case Measure::kEventQuantity:
    case Measure::kEventRating:
      return event_quantity(node.measure, *s.event);
    default:
      return key_quantity(node, s);
  }
}

Quantity quantity(uint32_t index, const Subject& s) {
  const Node& node = s.compiled.nodes[index];
  if (node.kind == NodeKind::kNumber) return number(node.number);
  if (node.kind == NodeKind::kMeasure) return measure(node, s);
  Quantity a = quantity(node.left, s);
  const Quantity b = quantity(node.right, s);
  a.until = std::min(a.until, b.until);
  a.known = a.known && b.known;
  switch (node.kind) {
    case NodeKind::kAdd:
      a.base += b.base, a.slope += b.slope;
      break;
    case NodeKind::kSubtract:
      a.base -= b.base, a.slope -= b.slope;
      break;
    // The compiler lets at most one side of a product, and only the upper side of a quotient, change with time.
    case NodeKind::kMultiply:
      a.slope = a.slope * b.base + b.slope * a.base, a.base *= b.base;
      break;
    default:
      if (b.base == 0) return {.until = a.until, .known = false};
      a.base /= b.base, a.slope /= b.base;
      break;
  }
  return a;
}

// ---- comparisons

// A weight only falls: `> c` and `>= c` turn once, when it gets to or below c.
Verdict compare_decaying(Comparison comparison, const Quantity& weight, double threshold, const Subject& s) {
  const profile::Profile& p = s.profile;
  if (threshold <= 0 || weight.base == 0 || p.landmark == kNoTime) return {holds(comparison, weight.base, threshold), kNever};
  const bool strict = comparison == Comparison::kGreater || comparison == Comparison::kLessEqual;
  const double floor = strict ? threshold : std::nextafter(threshold, 0);
  const Duration half_life = s.compiled.plan.half_life;
  const bool above = profile::weight_at(weight.base, s.now, p.landmark, half_life) > floor;
  const bool wants_above = comparison == Comparison::kGreater || comparison == Comparison::kGreaterEqual;
  return {above == wants_above, above ? profile::time_of_fall(weight.base, floor, s.now, p.landmark, half_life) : kNever};
}

Verdict compare(const Node& node, const Subject& s) {
  const Quantity left = quantity(node.left, s);
  const Quantity right = quantity(node.right, s);
  const Time until = std::min(left.until, right.until);
  // A comparison with something unknown is false, whatever the comparison.
  if (!left.known || !right.known) return {false, until};
  Verdict verdict;
  if (left.decays && !right.decays)
    verdict = compare_decaying(node.comparison, left, right.base, s);
  else if (right.decays && !left.decays)
    verdict = compare_decaying(mirrored(node.comparison), right, left.base, s);
  else
    verdict = compare_linear(node.comparison, left.base - right.base, left.slope - right.slope, s.now);
  verdict.holds_until = std::min(verdict.holds_until, until);
  return verdict;
}

// ---- texts and memberships

// Calls found(text) for each text of the source until it gives true. A purchase of several lines has several.
template <class Found>
bool any_text(const Node& node, const Subject& s, const Found& found) {
  const auto given = [&](std::string_view text) { return !text.empty() && found(text); };
  const auto any_line = [&](std::string_view event::Item::*field) {
    const auto lines = s.event->lines();
    return std::any_of(lines.begin(), lines.end(), [&](const event::Item& line) { return given(line.*field); });
  };
  const auto detail = [&](std::string_view event::Details::*field) { return s.event->details != nullptr && given(s.event->details->*field); };
  switch (static_cast<TextSource>(node.source)) {
    case TextSource::kTrait: {
      const profile::TraitValue* value = find_trait(node, s);
      const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
      return text != nullptr && found(*text);
    }
    case TextSource::kKey:
      return found(s.key->name);
    case TextSource::kItem:
      return any_line(&event::Item::item_id);
    case TextSource::kCategory:
      return any_line(&event::Item::category);
    case TextSource::kBrand:
      return any_line(&event::Item::brand);
    case TextSource::kChannel:
      return given(s.event->channel);
    case TextSource::kQuery:
      return detail(&event::Details::query);
    case TextSource::kCoupon:
      return detail(&event::Details::coupon_id);
    case TextSource::kCampaign:
      return detail(&event::Details::campaign_id);
  }
  return false;
}

bool text_condition(const Node& node, const Subject& s) {
  const auto& texts = s.compiled.texts;
  if (node.kind == NodeKind::kTextKnown) return any_text(node, s, [](std::string_view) { return true; });
  if (node.kind == NodeKind::kTextContains)
    return any_text(node, s, [&](std::string_view text) { return text.find(texts[node.left]) != std::string_view::npos; });
  const bool found = any_text(node, s, [&](std::string_view text) {
    return std::find(texts.begin() + node.left, texts.begin() + node.right, text) != texts.begin() + node.right;
  });
  return node.flag ? !found && any_text(node, s, [](std::string_view) { return true; }) : found;
}

bool trait_is(const Node& node, const Subject& s) {
  const profile::TraitValue* value = find_trait(node, s);
  const auto* stated = value == nullptr ? nullptr : std::get_if<bool>(value);
  return stated != nullptr && *stated == node.flag;
}

Verdict member(const Node& node, const Subject& s) {
  // What has not been evaluated yet, because an explanation asks first, may turn at any time: only a real evaluation knows.
  const auto& until = s.profile.holds_until;
  return {s.profile.members[node.index], node.index < until.size() ? until[node.index] : kNever};
}

Verdict falls_in(const Node& node, const Subject& s) {
  const auto day = yearly_day(node, s);
  if (!day) return {};
  const LocalCalendar& calendar = s.compiled.calendar;
  return {node.flag ? calendar.falls_in_week(*day, s.now) : calendar.falls_in_month(*day, s.now), calendar.day_holds_until(s.now)};
}

bool in_cart(const Subject& s) {
  return std::any_of(s.profile.cart.begin(), s.profile.cart.end(), [&](const profile::CartLine& line) { return line.hash == s.key->hash; });
}

}  // namespace

Verdict evaluate(uint32_t root, const Subject& s) {
  const Node& node = s.compiled.nodes[root];
  switch (node.kind) {
    case NodeKind::kAlways:
      return {node.flag, kNever};
    case NodeKind::kNot: {
      const Verdict inner = evaluate(node.left, s);
      return {!inner.value, inner.holds_until};
    }
    // The left side alone may decide. Where it does not, both times count even when the right side alone would do: the answer must stay the same
    // over the whole of holds_until (Verdict).
    case NodeKind::kAnd:
    case NodeKind::kOr: {
      const Verdict left = evaluate(node.left, s);
      if (left.value == (node.kind == NodeKind::kOr)) return left;
      const Verdict right = evaluate(node.right, s);
      return {right.value, std::min(left.holds_until, right.holds_until)};
    }
    case NodeKind::kCompare:
      return compare(node, s);
    case NodeKind::kCountInRange:
      return count_in_range(node, s);
    case NodeKind::kTiledCompare:
      return tiled_compare(node, s);
    case NodeKind::kTextIn:
    case NodeKind::kTextContains:
    case NodeKind::kTextKnown:
      return {text_condition(node, s), kNever};
    case NodeKind::kTraitIs:
      return {trait_is(node, s), kNever};
    case NodeKind::kTraitKnown:
      return {find_trait(node, s) != nullptr, kNever};
    case NodeKind::kKnown: {
      const Quantity value = quantity(node.left, s);
      return {value.known, value.until};
    }
    case NodeKind::kStageIn:
      return {(node.hash >> s.profile.stage & 1) != 0, kNever};
    case NodeKind::kMember:
      return member(node, s);
    case NodeKind::kFallsIn:
      return falls_in(node, s);
    case NodeKind::kInCart:
      return {in_cart(s), kNever};
    default:
      SEGUE_ASSERT(false);
  }
}

std::vector<uint32_t> leaves_of(const Compiled& compiled, uint32_t root) {
  std::vector<uint32_t> leaves;
  if (root == kNoCondition) return leaves;
  const Node& node = compiled.nodes[root];
  if (node.kind != NodeKind::kNot && node.kind != NodeKind::kAnd && node.kind != NodeKind::kOr) return {root};
  leaves = leaves_of(compiled, node.left);
  if (node.kind == NodeKind::kNot) return leaves;
  for (const uint32_t leaf : leaves_of(compiled, node.right)) leaves.push_back(leaf);
  return leaves;
}

double compared_value(uint32_t leaf, const Subject& s) {
  const Node& node = s.compiled.nodes[leaf];
  switch (node.kind) {
    case NodeKind::kCountInRange: {
      const Window& window = s.compiled.plan.windows[node.index];
      return kept_count(window, window_end(node, s), kept_times(window, s));
    }
    case NodeKind::kTiledCompare:
      return total_of(tiles_at(node.index, s, window_end(node, s))).of(node.flag);
    case NodeKind::kCompare: {
      const Quantity left = quantity(node.left, s);
      if (!left.known) return std::numeric_limits<double>::quiet_NaN();
      if (left.decays) return s.profile.landmark == kNoTime ? 0 : profile::weight_at(left.base, s.now, s.profile.landmark, s.compiled.plan.half_life);
      return left.base + left.slope * static_cast<double>(to_ms(s.now));
    }
    default:
      return evaluate(leaf, s).value ? 1 : 0;
  }
}

}  // namespace segue::segment
