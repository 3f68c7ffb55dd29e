// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/codec/event_checks.h"
#include "lib/event/event.h"

// docs/formats/event.md once more, as slowly and plainly as it can be written, on another parser: what the decoder is compared with.
namespace segue::codec::oracle {

using event::RejectReason;
using Json = nlohmann::ordered_json;

inline bool equal(const event::Item& a, const event::Item& b) {
  return a.item_id == b.item_id && a.category == b.category && a.brand == b.brand && a.price == b.price && a.quantity == b.quantity;
}
inline bool equal(const event::Event& a, const event::Event& b) {
  const event::Details none;
  const event::Details &x = a.details ? *a.details : none, &y = b.details ? *b.details : none;
  return a.type == b.type && a.ts == b.ts && a.received_at == b.received_at && a.event_id == b.event_id && a.user_id == b.user_id &&
         a.order_id == b.order_id && a.session_id == b.session_id && a.channel == b.channel && equal(a.item, b.item) &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), [](const auto& l, const auto& r) { return equal(l, r); }) &&
         std::equal(a.traits.begin(), a.traits.end(), b.traits.begin(), b.traits.end(),
                    [](const auto& l, const auto& r) { return l.name == r.name && l.value == r.value; }) &&
         (a.details == nullptr) == (b.details == nullptr) && x.query == y.query && x.text == y.text && x.coupon_id == y.coupon_id &&
         x.campaign_id == y.campaign_id && x.message_id == y.message_id && x.rating == y.rating;
}

inline bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto at = [&](size_t k) -> uint32_t { return i + k < text.size() ? static_cast<uint8_t>(text[i + k]) : 0u; };
    const uint32_t lead = at(0);
    const size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (length == 0) return false;
    uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t k = 1; k < length; ++k) {
      if (at(k) >> 6 != 2) return false;
      code = code << 6 | (at(k) & 0x3f);
    }
    constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += length;
  }
  return true;
}

inline unsigned depth_of(std::string_view json) {
  unsigned depth = 0, most = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    if (quoted && json[i] == '\\')
      ++i;
    else if (json[i] == '"')
      quoted = !quoted;
    else if (!quoted && (json[i] == '{' || json[i] == '['))
      most = std::max(most, ++depth);
    else if (!quoted && (json[i] == '}' || json[i] == ']'))
      --depth;
  }
  return most;
}

// Decodes one line; what it returns keeps the strings of its event alive.
class Oracle {
 public:
  Oracle(std::string_view line, Time appended_at, DecodeOptions options = {}) {
    try {
      read(line, appended_at, options);
    } catch (RejectReason reason) {
      reason_ = reason;
    }
  }
  const std::optional<RejectReason>& reason() const { return reason_; }
  const event::Event& event() const { return event_; }

 private:
  static void demand(bool condition, RejectReason otherwise) {
    if (!condition) throw otherwise;
  }
  // Null counts as absent.
  static const Json* find(const Json& object, const char* name) {
    const auto it = object.find(name);
    return it == object.end() || it->is_null() ? nullptr : &*it;
  }
  static std::string_view text(const Json& object, const char* name, size_t limit) {
    const Json* value = find(object, name);
    if (value == nullptr) return {};
    demand(value->is_string(), RejectReason::kInvalidField);
    const std::string& string = value->get_ref<const std::string&>();
    demand(string.size() <= limit, RejectReason::kFieldTooLong);
    return string;
  }
  static std::string_view required(const Json& object, const char* name, size_t limit, RejectReason missing) {
    const Json* value = find(object, name);
    demand(value != nullptr && value->is_string() && !value->get_ref<const std::string&>().empty(), missing);
    return text(object, name, limit);
  }
  static Time time(const Json& value, RejectReason otherwise) {
    demand(value.is_number_integer() && value >= 0 && value <= to_ms(kLatestTime), otherwise);
    return time_from_ms(value.get<int64_t>());
  }
  static event::Item line(const Json& object) {
    event::Item item;
    item.item_id = text(object, "item_id", 256);
    item.category = text(object, "category", 256);
    item.brand = text(object, "brand", 256);
    if (const Json* price = find(object, "price")) {
      demand(price->is_number() && money_from_price(price->get<double>()).has_value(), RejectReason::kInvalidPrice);
      item.price = *money_from_price(price->get<double>());
    }
    if (const Json* quantity = find(object, "quantity")) {
      demand(quantity->is_number_integer() && *quantity >= 1 && *quantity <= 1'000'000, RejectReason::kInvalidQuantity);
      item.quantity = quantity->get<int64_t>();
    }
    demand(static_cast<long double>(item.price.micros) * static_cast<long double>(item.quantity) <= 1e18L, RejectReason::kAmountTooLarge);
    return item;
  }

  void read(std::string_view bytes, Time appended_at, const DecodeOptions& options) {
    demand(bytes.size() <= 1 << 20, RejectReason::kRecordTooLarge);
    demand(is_utf8(bytes), RejectReason::kInvalidUtf8);
    // This parser ends at a NUL and skips a byte order mark; neither is JSON.
    demand(bytes.find('\0') == bytes.npos && !bytes.starts_with("\xef\xbb\xbf"), RejectReason::kInvalidJson);
    json_ = Json::parse(bytes, nullptr, false);
    demand(!json_.is_discarded() && depth_of(bytes) <= 64, RejectReason::kInvalidJson);
    demand(json_.is_object(), RejectReason::kNotAnObject);
    event_.event_id = required(json_, "event_id", 256, RejectReason::kMissingEventId);
    event_.user_id = required(json_, "user_id", 256, RejectReason::kMissingUserId);
    const Json* type_field = find(json_, "type");
    demand(type_field != nullptr && type_field->is_string(), RejectReason::kUnknownType);
    const auto type = std::find(event::kEventTypeNames.begin(), event::kEventTypeNames.end(), type_field->get_ref<const std::string&>());
    demand(type != event::kEventTypeNames.end(), RejectReason::kUnknownType);
    event_.type = static_cast<event::EventType>(type - event::kEventTypeNames.begin());
    const Json* ts = find(json_, "ts");
    demand(ts != nullptr, RejectReason::kInvalidTs);
    event_.ts = time(*ts, RejectReason::kInvalidTs);
    const Json* received_at = find(json_, "received_at");
    event_.received_at = received_at ? time(*received_at, RejectReason::kInvalidField) : appended_at;
    event_.order_id = text(json_, "order_id", 256);
    event_.session_id = text(json_, "session_id", 256);
    event_.channel = text(json_, "channel", 256);
    event_.item = line(json_);
    read_items();
    read_details();
    read_traits();
    if (options.check_future && event_.received_at != kNoTime)
      demand(event_.ts <= event_.received_at + options.future_bound, RejectReason::kFromTheFuture);
  }
  void read_items() {
    const Json* items = find(json_, "items");
    if (items == nullptr) return;
    demand(items->is_array(), RejectReason::kInvalidField);
    demand(items->size() <= 1000, RejectReason::kTooManyItems);
    for (const Json& item : *items) {
      demand(item.is_object(), RejectReason::kInvalidField);
      items_.push_back(line(item));
    }
    event_.items = items_;
  }
  void read_details() {
    details_.query = text(json_, "query", 16384);
    details_.text = text(json_, "text", 16384);
    details_.coupon_id = text(json_, "coupon_id", 256);
    details_.campaign_id = text(json_, "campaign_id", 256);
    details_.message_id = text(json_, "message_id", 256);
    if (const Json* rating = find(json_, "rating")) {
      demand(rating->is_number(), RejectReason::kInvalidField);
      details_.rating = rating->get<double>();
    }
    const bool none = details_.query.empty() && details_.text.empty() && details_.coupon_id.empty() && details_.campaign_id.empty() &&
                      details_.message_id.empty() && details_.rating == 0;
    if (!none) event_.details = &details_;
  }
  void read_traits() {
    const Json* traits = find(json_, "traits");
    if (traits == nullptr) return;
    demand(traits->is_object(), RejectReason::kInvalidField);
    demand(traits->size() <= 64, RejectReason::kTooManyItems);
    for (const auto& [name, value] : traits->items()) {
      demand(!name.empty(), RejectReason::kInvalidField);
      demand(name.size() <= 256, RejectReason::kFieldTooLong);
      names_.push_back(name);
      event::TraitValue stated;
      if (value.is_boolean())
        stated = value.get<bool>();
      else if (value.is_number())
        stated = value.get<double>();
      else if (value.is_string()) {
        demand(value.get_ref<const std::string&>().size() <= 16384, RejectReason::kFieldTooLong);
        stated = std::string_view(value.get_ref<const std::string&>());
      } else
        demand(value.is_null(), RejectReason::kInvalidField);
      traits_.push_back({names_.back(), stated});
    }
    event_.traits = traits_;
  }

  Json json_;
  event::Event event_;
  event::Details details_;
  std::vector<event::Item> items_;
  std::vector<event::Trait> traits_;
  std::deque<std::string> names_;
  std::optional<RejectReason> reason_;
};

}  // namespace segue::codec::oracle
