// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/event_json.h"

#include <gtest/gtest.h>

#include "lib/codec/event_decoder.h"
#include "tests/unit/codec/event_oracle.h"
#include "tests/unit/codec/sample_events.h"

namespace segue::codec {
namespace {

TEST(EventJsonTest, any_event_is_read_back_as_it_was_written) {
  std::mt19937_64 random(3);
  EventDecoder decoder;
  for (int i = 0; i < 20'000; ++i) {
    Arena arena;
    const event::Event event = make_random_event(random, arena);
    std::string json;
    append_json(event, json);
    const size_t size = json.size();
    json.append(EventDecoder::kPadding, '\0');
    const auto decoded = decoder.decode(std::string_view(json.data(), size), kNoTime, arena);
    ASSERT_TRUE(decoded.has_value()) << name(decoded.error()) << json;
    ASSERT_TRUE(oracle::equal(*decoded, event)) << json;
    ASSERT_TRUE(oracle::equal(oracle::Oracle(std::string_view(json.data(), size), kNoTime).event(), event)) << json;
  }
}

TEST(EventJsonTest, the_reference_record_is_written_without_what_is_absent) {
  event::Event event;
  event.type = event::EventType::kPurchase;
  event.event_id = "e-1", event.user_id = "用户", event.ts = time_from_ms(1700000000123), event.item = {"i\n1", "", "", Money{129'900'000}, 2};
  std::string json;
  append_json(event, json);
  EXPECT_EQ(json, R"({"event_id":"e-1","type":"purchase","user_id":"用户","ts":1700000000123,"item_id":"i\n1","price":129.9,"quantity":2})");
}

}  // namespace
}  // namespace segue::codec
