// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/tracking_fields.h"

#include <array>
#include <charconv>
#include <cmath>

#include "lib/codec/event_checks.h"
#include "lib/codec/iso_time.h"
#include "lib/codec/json_members.h"

namespace segue::codec {
namespace {

using event::Event;
using event::EventType;
using event::Item;

enum PropertyField : uint8_t {
  kProductId,
  kSku,
  kId,
  kCategory,
  kBrand,
  kPrice,
  kQuantity,
  kOrderId,
  kProducts,
  kQuery,
  kReviewBody,
  kText,
  kRating,
  kCouponId,
  kCoupon,
  kCampaignId,
  kMessageId,
  kEmailId,
  kRevenue,
  kTotal,
  kValue,
  kSessionId,
  kPropertyFields
};
constexpr FieldNames<kPropertyFields> kPropertyNames = {
    "product_id", "sku",    "id",        "category", "brand",       "price",      "quantity", "order_id", "products", "query", "review_body",
    "text",       "rating", "coupon_id", "coupon",   "campaign_id", "message_id", "email_id", "revenue",  "total",    "value", "session_id"};
constexpr FieldNames<7> kProductNames = {"product_id", "sku", "id", "category", "brand", "price", "quantity"};

// Types whose amounts are summed up: a wrong one must not pass as none.
bool counts_money(EventType type) { return type == EventType::kPurchase || type == EventType::kRefund; }
bool has_products(EventType type) { return counts_money(type) || type == EventType::kCheckout; }
bool is_message(EventType type) { return type == EventType::kMessageSent || type == EventType::kMessageOpened || type == EventType::kMessageClicked; }

}  // namespace

// Where the values of a line are.
struct TrackingFields::Line {
  uint32_t product_id, sku, id, category, brand, price, quantity;
};

struct TrackingFields::TraitList {
  std::array<event::Trait, event::kMaxTraits> traits;
  size_t count = 0;
};

std::string_view TrackingFields::id(uint32_t token) {
  if (text_.first(token) == '"') return text_.string(token, arena_);
  int64_t ignored = 0;
  if (!text_.whole(token, ignored)) return {};
  const char* const begin = text_.at(token);
  size_t size = 1;
  while (begin[size] >= '0' && begin[size] <= '9') ++size;
  return {begin, size};
}

std::string_view TrackingFields::text(uint32_t token, size_t limit) {
  if (text_.is_null(token)) return {};
  const std::string_view value = id(token);
  if (value.size() <= limit && (!value.empty() || text_.first(token) == '"')) return value;
  ++ignored_;
  return {};
}

std::optional<Time> TrackingFields::time(uint32_t token) const {
  int64_t ms = 0;
  if (text_.whole(token, ms)) {
    if (!is_event_time(ms)) return std::nullopt;
    return time_from_ms(ms);
  }
  // A time has no escapes.
  if (text_.first(token) != '"') return std::nullopt;
  return parse_iso_time(text_.raw_string(token));
}

bool TrackingFields::number(uint32_t token, double& out) const {
  if (text_.first(token) == '"') {
    const std::string_view text = text_.raw_string(token);
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
    return code == std::errc{} && end == text.data() + text.size() && std::isfinite(out);
  }
  JsonNumber read;
  if (!text_.number(token, read)) return false;
  return out = read.value, true;
}

bool TrackingFields::price(uint32_t token, Money& out) {
  if (is_absent(token)) return true;
  double value = 0;
  if (number(token, value) && !check_price(value, out)) return true;
  ++ignored_;
  return false;
}

bool TrackingFields::quantity(uint32_t token, int64_t& out) {
  if (is_absent(token)) return true;
  double value = 0;
  if (number(token, value) && value >= 1 && value <= static_cast<double>(event::kMaxQuantity) && value == std::floor(value)) {
    return out = static_cast<int64_t>(value), true;
  }
  ++ignored_;
  return false;
}

std::string_view TrackingFields::first_name(std::initializer_list<uint32_t> tokens) {
  for (const uint32_t token : tokens) {
    if (is_absent(token)) continue;
    const std::string_view value = name(token);
    if (!value.empty()) return value;
  }
  return {};
}

std::optional<SkipReason> TrackingFields::read_line(const Line& from, bool counts_money, Item& line) {
  line.item_id = first_name({from.product_id, from.sku, from.id});
  line.category = first_name({from.category});
  line.brand = first_name({from.brand});
  if (!price(from.price, line.price) && counts_money) return SkipReason::kInvalidPrice;
  if (!quantity(from.quantity, line.quantity) && counts_money) return SkipReason::kInvalidQuantity;
  if (check_amount(line)) {
    if (counts_money) return SkipReason::kInvalidPrice;
    line.quantity = 1;
    ++ignored_;
  }
  return std::nullopt;
}

// The lines of "products", one place more behind them.
std::optional<SkipReason> TrackingFields::read_products(uint32_t token, Event& event) {
  size_t count = 0;
  for (uint32_t at = token; text_.first(at) != ']'; at = text_.skip(at + 1, 1)) ++count;
  if (count >= event::kMaxItems) return SkipReason::kTooManyItems;
  const std::span<Item> lines = arena_.make_array<Item>(count + 1);
  size_t used = 0;
  for (uint32_t at = token; text_.first(at) != ']'; at = text_.skip(at + 1, 1)) {
    if (text_.first(at + 1) != '{') {
      ++ignored_;
      continue;
    }
    const auto found = find_members(text_, at + 1, kProductNames, arena_);
    const Line line{found[0], found[1], found[2], found[3], found[4], found[5], found[6]};
    if (auto skip = read_line(line, counts_money(event.type), lines[used])) return skip;
    ++used;
  }
  event.items = lines.first(used);
  return std::nullopt;
}

// Where no line has a price: a line for the whole sum.
std::optional<SkipReason> TrackingFields::read_money(std::initializer_list<uint32_t> tokens, Event& event) {
  if (event.total() != Money{}) return std::nullopt;
  for (const uint32_t token : tokens) {
    if (is_absent(token)) continue;
    Money sum;
    if (!price(token, sum)) return SkipReason::kInvalidPrice;
    if (event.items.empty()) {
      event.item.price = sum, event.item.quantity = 1;
      return std::nullopt;
    }
    // read_products() left a place for it.
    const size_t lines = event.items.size();
    auto* const last = const_cast<Item*>(event.items.data()) + lines;
    last->price = sum;
    event.items = {event.items.data(), lines + 1};
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<SkipReason> TrackingFields::read_properties(uint32_t token, Event& event) {
  if (is_absent(token)) return std::nullopt;
  if (text_.first(token) != '{') return ++ignored_, std::nullopt;
  const auto found = find_members(text_, token, kPropertyNames, arena_);
  event.order_id = first_name({found[kOrderId]});
  event.session_id = first_name({found[kSessionId]});
  const Line line{found[kProductId], found[kSku], found[kId], found[kCategory], found[kBrand], found[kPrice], found[kQuantity]};
  if (auto skip = read_line(line, counts_money(event.type), event.item)) return skip;
  const uint32_t products = found[kProducts];
  if (has_products(event.type) && !is_absent(products)) {
    if (text_.first(products) == '[') {
      if (text_.first(products + 1) != ']') {
        if (auto skip = read_products(products, event)) return skip;
      }
    } else {
      ++ignored_;
    }
  }
  if (counts_money(event.type)) {
    if (auto skip = read_money({found[kRevenue], found[kTotal], found[kValue]}, event)) return skip;
  }
  event::Details details;
  if (event.type == EventType::kSearch && !is_absent(found[kQuery])) details.query = text(found[kQuery], event::kMaxTextBytes);
  if (event.type == EventType::kReview) {
    const uint32_t body = is_absent(found[kReviewBody]) ? found[kText] : found[kReviewBody];
    if (!is_absent(body)) details.text = text(body, event::kMaxTextBytes);
    if (!is_absent(found[kRating]) && !number(found[kRating], details.rating)) ++ignored_, details.rating = 0;
  }
  if (event.type == EventType::kCouponRedeem || event.type == EventType::kPurchase)
    details.coupon_id = first_name({found[kCouponId], found[kCoupon]});
  if (is_message(event.type)) {
    details.campaign_id = first_name({found[kCampaignId]});
    details.message_id = first_name({found[kMessageId], found[kEmailId]});
  }
  if (!is_empty(details)) event.details = new (arena_.allocate(sizeof details, alignof(event::Details))) event::Details(details);
  return std::nullopt;
}

void TrackingFields::flatten(uint32_t token, std::string_view prefix, unsigned depth, TraitList& list) {
  for_each_member(text_, token, arena_, [&](std::string_view member, uint32_t value) {
    std::string_view whole = member;
    if (!prefix.empty()) {
      char* const at = arena_.allocate(prefix.size() + 1 + member.size(), 1);
      prefix.copy(at, prefix.size());
      at[prefix.size()] = '.';
      member.copy(at + prefix.size() + 1, member.size());
      whole = {at, prefix.size() + 1 + member.size()};
    }
    const char first = text_.first(value);
    // Names only grow on the way in: beyond the limit nothing below can be used.
    if (whole.empty() || whole.size() > event::kMaxNameBytes || first == '[') {
      ++ignored_;
      return;
    }
    if (first == '{') return flatten(value, whole, depth + 1, list);
    event::TraitValue read;
    if (first == '"') {
      const std::string_view said = text_.string(value, arena_);
      if (said.size() > event::kMaxTextBytes) {
        ++ignored_;
        return;
      }
      read = said;
    } else if (first == 't' || first == 'f') {
      read = first == 't';
    } else if (first != 'n') {
      JsonNumber said;
      text_.number(value, said);
      read = said.value;
    }
    size_t at = 0;
    while (at < list.count && list.traits[at].name != whole) ++at;
    if (at == event::kMaxTraits) {
      ++ignored_;
      return;
    }
    list.traits[at] = {whole, read};
    list.count += at == list.count;
  });
}

void TrackingFields::read_traits(uint32_t token, Event& event) {
  if (text_.is_null(token)) return;
  if (text_.first(token) != '{') {
    ++ignored_;
    return;
  }
  TraitList list;
  flatten(token, {}, 1, list);
  const std::span<event::Trait> traits = arena_.make_array<event::Trait>(list.count);
  std::copy_n(list.traits.begin(), list.count, traits.begin());
  event.traits = traits;
}

}  // namespace segue::codec
