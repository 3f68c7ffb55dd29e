// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/tracking_names.h"

#include <array>
#include <utility>

namespace segue::codec {
namespace {

using event::EventType;

constexpr std::pair<std::string_view, EventType> kDefaults[] = {
    {"products searched", EventType::kSearch},
    {"product viewed", EventType::kView},
    {"product list viewed", EventType::kView},
    {"product list filtered", EventType::kView},
    {"cart viewed", EventType::kView},
    {"product clicked", EventType::kClick},
    {"promotion clicked", EventType::kClick},
    {"product added", EventType::kCart},
    {"wishlist product added to cart", EventType::kCart},
    {"product removed", EventType::kCartRemove},
    {"product added to wishlist", EventType::kFavorite},
    {"checkout started", EventType::kCheckout},
    {"checkout step viewed", EventType::kCheckout},
    {"checkout step completed", EventType::kCheckout},
    {"payment info entered", EventType::kCheckout},
    {"order completed", EventType::kPurchase},
    {"order refunded", EventType::kRefund},
    {"order cancelled", EventType::kRefund},
    {"coupon applied", EventType::kCouponRedeem},
    {"product shared", EventType::kShare},
    {"cart shared", EventType::kShare},
    {"product reviewed", EventType::kReview},
    {"email delivered", EventType::kMessageSent},
    {"email opened", EventType::kMessageOpened},
    {"email link clicked", EventType::kMessageClicked},
};

// The name in the form in which it is compared, in `buffer`.
template <size_t kSize>
std::string_view folded(std::string_view name, std::array<char, kSize>& buffer) {
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    buffer[i] = c == '_' ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return {buffer.data(), name.size()};
}

}  // namespace

TrackingNames::TrackingNames() {
  for (const auto& [name, type] : kDefaults) types_.emplace(name, type);
}

Result<> TrackingNames::set(std::string_view name, std::string_view type) {
  std::array<char, kMaxNameBytes> buffer;
  if (name.empty() || name.size() > kMaxNameBytes) {
    return fail(ErrorClass::kUsage, "the name of an event has 1 to " + std::to_string(kMaxNameBytes) + " bytes");
  }
  const std::string_view key = folded(name, buffer);
  if (type == "none") {
    if (const auto found = types_.find(key); found != types_.end()) types_.erase(found);
    return {};
  }
  const auto known = event::find_event_type(type);
  if (!known || known == EventType::kIdentify || known == EventType::kDelete) {
    return fail(ErrorClass::kUsage, "\"" + std::string(name) + "\" cannot become the type \"" + std::string(type) +
                                        "\": one of view, search, click, cart, cart_remove, favorite, checkout, purchase, refund, review, share, "
                                        "coupon_redeem, message_sent, message_opened, message_clicked, or none");
  }
  types_.insert_or_assign(std::string(key), *known);
  return {};
}

Result<> TrackingNames::set_all(const std::map<std::string, std::string>& table) {
  for (const auto& [name, type] : table) SEGUE_TRY(set(name, type));
  return {};
}

std::optional<EventType> TrackingNames::find(std::string_view name) const {
  if (name.size() > kMaxNameBytes) return std::nullopt;
  std::array<char, kMaxNameBytes> buffer;
  const auto found = types_.find(folded(name, buffer));
  if (found == types_.end()) return std::nullopt;
  return found->second;
}

}  // namespace segue::codec
