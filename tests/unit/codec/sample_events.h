// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/arena.h"
#include "lib/event/event.h"

namespace segue::codec {

// Records of every kind in canonical JSON: what mutations start from.
inline constexpr std::array<std::string_view, 12> kSampleLines = {
    R"({"event_id":"e-000000012345","type":"click","user_id":"u-0001234","ts":1700000000123,"item_id":"i-00042","category":"c-17")"
    R"(,"brand":"b-203","price":129.9,"quantity":1,"session_id":"s-99","channel":"app"})",
    R"({"event_id":"e-1","type":"search","user_id":"用户-7","ts":1700000000123,"query":"跑鞋 42 码","session_id":"s-99","channel":"web"})",
    R"({"event_id":"e-2","type":"purchase","user_id":"u-1","ts":1700000000123,"order_id":"o-1","items":[{"item_id":"i-1")"
    R"(,"category":"女装","brand":"b","price":1e2,"quantity":2},{"item_id":"i-2","price":0.01},{}]})",
    R"( { "user_id" : "u-1" , "ts" : 0 , "type" : "identify" , "event_id" : "e-3" ,)"
    R"( "traits" : { "age" : 33 , "consent" : true , "region" : "上海" , "gender" : null , "x" : -1.5e-3 } } )",
    R"({"event_id":"e-4","type":"review","user_id":"u-1","ts":1700000000123,"item_id":"i-1")"
    R"(,"text":"good \"shoes\"\n\u4f60\u597d \ud83d\ude00","rating":4.5})",
    R"({"event_id":"e-5","type":"message_clicked","user_id":"u-1","ts":253402300799999,"campaign_id":"m","message_id":"n")"
    R"(,"coupon_id":"k","received_at":253402300799999})",
    R"({"\u0065vent_id":"e-6","type":"vie\u0077","user_id":"u-1","ts":1700000000123,"price":129.90)"
    R"(,"amount":[1,{"a":[true,false,null,"x",1e5]}],"quantity":1000000})",
    R"({"event_id":"e-7","event_id":"e-8","type":"cart","user_id":"u-1","ts":1,"ts":2,"price":-1,"price":1,"traits":{"a":1,"b":"2")"
    R"(,"a":[],"a":false}})",
    R"({"event_id":null,"type":"cart","user_id":"u-1","ts":1700000000123})",
    R"({"event_id":"e-9","type":"delete","user_id":"u-1","ts":1700000000123,"item_id":null,"price":null,"quantity":null)"
    R"(,"items":null,"traits":null,"rating":null,"query":null,"received_at":null,"channel":null})",
    R"([{"event_id":"e-9"}])",
    R"({"event_id":"e-10","type":"purchase","user_id":"u-1","ts":1700000000123,"price":999999999.999999,"quantity":1000,"items":[],"traits":{}})"};

// A random event with strings that need escapes, Chinese, limits and every optional field now and then. Its strings lie in `arena`.
template <class Random>
event::Event make_random_event(Random& random, Arena& arena) {
  const auto below = [&](uint64_t n) { return random() % n; };
  const auto text = [&](size_t most) {
    static constexpr std::array<std::string_view, 12> kPieces = {"a", "0", "跑鞋", "\"", "\\", "\n", "\x01", "/", "é", "😀", " ", "\x7f"};
    std::string made;
    for (size_t n = below(12); n > 0; --n) made += kPieces[below(kPieces.size())];
    if (below(200) == 0) made.assign(most, 'x');
    return arena.copy(made.substr(0, made.size() <= most ? made.size() : 0));
  };
  const auto maybe = [&](size_t most) { return below(3) == 0 ? text(most) : std::string_view{}; };
  const auto line = [&] {
    event::Item item{maybe(256), maybe(256), maybe(256), {}, 1};
    if (below(2) == 0) item.price = Money{static_cast<int64_t>(below(2) == 0 ? below(1'000'000'000'000'001) : below(300) * 10'000)};
    if (below(4) == 0) item.quantity = static_cast<int64_t>(1 + below(1000));
    return item;
  };
  event::Event event;
  event.type = static_cast<event::EventType>(below(event::kEventTypes));
  event.ts =
      time_from_ms(static_cast<int64_t>(below(2) == 0 ? below(static_cast<uint64_t>(to_ms(kLatestTime)) + 1) : 1'700'000'000'000 + below(1'000'000)));
  if (below(3) == 0) event.received_at = event.ts;
  event.event_id = arena.copy("e" + std::string(text(255)));
  event.user_id = arena.copy("用" + std::string(text(253)));
  event.order_id = maybe(256), event.session_id = maybe(256), event.channel = maybe(256);
  event.item = line();
  if (below(4) == 0) {
    const auto items = arena.make_array<event::Item>(below(5));
    for (event::Item& item : items) item = line();
    event.items = items;
  }
  if (below(4) == 0) {
    const auto traits = arena.make_array<event::Trait>(below(5));
    for (size_t i = 0; i < traits.size(); ++i) {
      traits[i].name = arena.copy(std::to_string(i) + std::string(text(250)));
      switch (below(4)) {
        case 0:
          traits[i].value = below(2) == 0;
          break;
        case 1:
          traits[i].value = std::bit_cast<double>(random() & 0xbfffffffffffffff);
          break;
        case 2:
          traits[i].value = text(16384);
          break;
        default:
          break;
      }
    }
    event.traits = traits;
  }
  if (below(4) == 0) {
    event::Details details{maybe(16384), maybe(16384), maybe(256), maybe(256), maybe(256), below(2) == 0 ? static_cast<double>(below(50)) / 10 : 0};
    if (!details.query.empty() || details.rating != 0) event.details = new (arena.allocate(sizeof details)) event::Details(details);
  }
  return event;
}

}  // namespace segue::codec
