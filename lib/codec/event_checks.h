// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "lib/event/event.h"
#include "lib/event/reject_reason.h"

namespace segue::codec {

// What both forms of an event, JSON and protobuf, are held to once the types of their fields are known. The order in which a decoder asks is fixed
// by docs/formats/event.md, so that every record has one reason.

// Empty: nothing to object to.
using Rejection = std::optional<event::RejectReason>;

struct DecodeOptions {
  // How much later than its record's received time an event may say that it happened. Clocks of shoppers' devices differ by seconds to minutes.
  Duration future_bound{std::chrono::minutes{5}};
  bool check_future = true;
};

inline Rejection check_required(std::string_view id, size_t limit, event::RejectReason missing) {
  if (id.empty()) return missing;
  if (id.size() > limit) return event::RejectReason::kFieldTooLong;
  return std::nullopt;
}
inline Rejection check_length(std::string_view text, size_t limit) {
  if (text.size() > limit) return event::RejectReason::kFieldTooLong;
  return std::nullopt;
}
inline bool is_event_time(int64_t ms) { return ms >= 0 && ms <= to_ms(kLatestTime); }

inline Rejection check_price(double value, Money& price) {
  const auto money = money_from_price(value);
  if (!money) return event::RejectReason::kInvalidPrice;
  price = *money;
  return std::nullopt;
}
inline Rejection check_quantity(int64_t quantity) {
  if (quantity < 1 || quantity > event::kMaxQuantity) return event::RejectReason::kInvalidQuantity;
  return std::nullopt;
}
inline Rejection check_amount(const event::Item& line) {
  constexpr Money kLimit{static_cast<int64_t>(kMaxLineTotal) * 1'000'000};
  if (line.total() > kLimit) return event::RejectReason::kAmountTooLarge;
  return std::nullopt;
}
// An event whose details are all absent has none.
inline bool is_empty(const event::Details& d) {
  return d.query.empty() && d.text.empty() && d.coupon_id.empty() && d.campaign_id.empty() && d.message_id.empty() && d.rating == 0;
}
// `event.received_at` is the time that the record itself states, or kNoTime; `appended_at` the log's, or kNoTime. Leaves the one that holds.
inline Rejection check_future(event::Event& event, Time appended_at, const DecodeOptions& options) {
  if (event.received_at == kNoTime) event.received_at = appended_at;
  if (!options.check_future || event.received_at == kNoTime) return std::nullopt;
  if (event.ts - event.received_at > options.future_bound) return event::RejectReason::kFromTheFuture;
  return std::nullopt;
}

}  // namespace segue::codec
