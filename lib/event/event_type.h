// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace segue::event {

// What a storefront reports. The numbers are stored in pages and in the protobuf form: append only.
enum class EventType : uint8_t {
  kView,
  kSearch,
  kClick,
  kCart,
  kCartRemove,
  kFavorite,
  kCheckout,
  kPurchase,
  kRefund,
  kReview,
  kShare,
  kIdentify,
  kCouponRedeem,
  kMessageSent,
  kMessageOpened,
  kMessageClicked,
  kDelete,
};
inline constexpr size_t kEventTypes = 17;

// As in canonical JSON: "view", "cart_remove", …
inline constexpr std::array<std::string_view, kEventTypes> kEventTypeNames = {
    "view",   "search", "click",    "cart",          "cart_remove",  "favorite",       "checkout",        "purchase", "refund",
    "review", "share",  "identify", "coupon_redeem", "message_sent", "message_opened", "message_clicked", "delete"};

constexpr size_t index(EventType type) { return static_cast<size_t>(type); }
constexpr std::string_view name(EventType type) { return kEventTypeNames[index(type)]; }
// Empty for a name that is none of ours.
std::optional<EventType> find_event_type(std::string_view name);

}  // namespace segue::event
