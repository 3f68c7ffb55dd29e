// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "lib/base/money.h"
#include "lib/base/time.h"
#include "lib/event/event_type.h"

namespace segue::event {

// Limits on one event, in bytes of UTF-8 unless said. Beyond them an event is a dead letter (reject_reason.h).
inline constexpr size_t kMaxRecordBytes = 1 << 20;
inline constexpr size_t kMaxUserIdBytes = 256;
inline constexpr size_t kMaxEventIdBytes = 256;
inline constexpr size_t kMaxNameBytes = 256;    // item_id, category, brand, order_id, session_id, channel, coupon_id, campaign_id, message_id
inline constexpr size_t kMaxTextBytes = 16384;  // query, text of a review, a trait's value
inline constexpr size_t kMaxItems = 1000;       // lines of one purchase
inline constexpr size_t kMaxTraits = 64;        // traits of one identify
inline constexpr int64_t kMaxQuantity = 1'000'000;

// One line: what was viewed, carted or bought. Empty views are absent fields.
struct Item {
  std::string_view item_id;
  std::string_view category;
  std::string_view brand;
  Money price;           // of one piece; zero when absent
  int64_t quantity = 1;  // pieces, 1 to kMaxQuantity

  Money total() const { return multiply(price, quantity); }
};

// A stated fact about the user. monostate unsets the trait.
using TraitValue = std::variant<std::monostate, bool, double, std::string_view>;
struct Trait {
  std::string_view name;  // age, gender, region, occupation, birthday (YYYY-MM-DD), consent, or any other
  TraitValue value;
};

// Fields that few events carry.
struct Details {
  std::string_view query;        // search
  std::string_view text;         // review
  std::string_view coupon_id;    // coupon_redeem
  std::string_view campaign_id;  // message_*
  std::string_view message_id;   // message_*
  double rating = 0;             // review; zero when absent
};

// One thing that a user did. A value: the strings live in the batch's arena or input bytes and are valid UTF-8.
struct Event {
  EventType type = EventType::kView;
  Time ts = kNoTime;           // when it happened
  Time received_at = kNoTime;  // when the collector or the log took it; kNoTime when neither said
  std::string_view event_id;   // never empty
  std::string_view user_id;    // never empty
  std::string_view order_id;   // purchase, refund
  std::string_view session_id;
  std::string_view channel;
  Item item;                         // the single line; item_id is empty where there is none
  std::span<const Item> items;       // a purchase's lines when it carries several; then `item` is not used
  std::span<const Trait> traits;     // identify
  const Details* details = nullptr;  // null when the event carries none of these fields

  // The lines, whichever way they were given. Empty when the event names no item, category or brand and no price.
  std::span<const Item> lines() const {
    if (!items.empty()) return items;
    const bool has_line = !item.item_id.empty() || !item.category.empty() || !item.brand.empty() || item.price.micros != 0;
    return {&item, has_line ? size_t{1} : size_t{0}};
  }
  Money total() const {
    Money sum;
    for (const Item& line : lines()) sum = add(sum, line.total());
    return sum;
  }
};

}  // namespace segue::event
