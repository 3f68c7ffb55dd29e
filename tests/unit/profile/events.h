// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "lib/event/event.h"
#include "lib/profile/profile.h"

// Short forms of events for the tests of profile/.
namespace segue::profile::events {

inline constexpr int64_t kStart = 1'700'000'000'000;
// Seconds after the start.
constexpr Time at(int64_t seconds) { return time_from_ms(kStart + seconds * 1000); }

inline event::Event make(event::EventType type, Time ts, std::string_view item = {}, std::string_view category = {}, std::string_view brand = {}) {
  event::Event e;
  e.type = type;
  e.ts = ts;
  e.event_id = "e";
  e.user_id = "u";
  e.item = {item, category, brand, {}, 1};
  return e;
}

inline event::Event make_purchase(Time ts, int64_t price, std::string_view order_id = {}, std::string_view item = "i") {
  event::Event e = make(event::EventType::kPurchase, ts, item);
  e.order_id = order_id;
  e.item.price = {price * 1'000'000};
  return e;
}

}  // namespace segue::profile::events
