// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/event_protobuf.h"

#include <gtest/gtest.h>

#include <limits>

#include "segue/v1/event.pb.h"
#include "tests/unit/codec/event_oracle.h"
#include "tests/unit/codec/sample_events.h"

namespace segue::codec {
namespace {

using event::RejectReason;

TEST(EventProtobufTest, any_event_is_read_back_as_it_was_written) {
  std::mt19937_64 random(4);
  EventProtobufDecoder decoder;
  for (int i = 0; i < 20'000; ++i) {
    Arena arena;
    const event::Event event = make_random_event(random, arena);
    std::string bytes;
    append_protobuf(event, bytes);
    event::Event decoded;
    ASSERT_EQ(decoder.decode(bytes, kNoTime, arena, decoded), std::nullopt);
    ASSERT_TRUE(oracle::equal(decoded, event));
  }
}

TEST(EventProtobufTest, the_numbers_of_the_types_are_ours_plus_one) {
  EXPECT_EQ(v1::EventType_ARRAYSIZE, static_cast<int>(event::kEventTypes) + 1);
  EXPECT_EQ(v1::EVENT_TYPE_VIEW, static_cast<int>(event::EventType::kView) + 1);
  EXPECT_EQ(v1::EVENT_TYPE_IDENTIFY, static_cast<int>(event::EventType::kIdentify) + 1);
  EXPECT_EQ(v1::EVENT_TYPE_DELETE, static_cast<int>(event::EventType::kDelete) + 1);
}

// The reason of a message that `spoil` changed from one that is right.
template <class Spoil>
Rejection reason(const Spoil& spoil, Time appended_at = kNoTime) {
  v1::Event message;
  message.set_event_id("e"), message.set_user_id("u"), message.set_type(v1::EVENT_TYPE_PURCHASE), message.set_ts(1700000300000);
  spoil(message);
  EventProtobufDecoder decoder;
  Arena arena;
  event::Event event;
  return decoder.decode(message.SerializeAsString(), appended_at, arena, event);
}

TEST(EventProtobufTest, messages_are_held_to_the_rules_of_json) {
  EXPECT_EQ(reason([](auto&) {}), std::nullopt);
  EXPECT_EQ(reason([](auto& m) { m.clear_event_id(); }), RejectReason::kMissingEventId);
  EXPECT_EQ(reason([](auto& m) { m.clear_user_id(); }), RejectReason::kMissingUserId);
  EXPECT_EQ(reason([](auto& m) { m.clear_type(); }), RejectReason::kUnknownType);
  EXPECT_EQ(reason([](auto& m) { m.set_type(static_cast<v1::EventType>(18)); }), RejectReason::kUnknownType);
  EXPECT_EQ(reason([](auto& m) { m.clear_ts(); }), RejectReason::kInvalidTs);
  EXPECT_EQ(reason([](auto& m) { m.set_ts(-1); }), RejectReason::kInvalidTs);
  EXPECT_EQ(reason([](auto& m) { m.set_price(-1); }), RejectReason::kInvalidPrice);
  EXPECT_EQ(reason([](auto& m) { m.set_price(std::numeric_limits<double>::quiet_NaN()); }), RejectReason::kInvalidPrice);
  EXPECT_EQ(reason([](auto& m) { m.set_quantity(0); }), RejectReason::kInvalidQuantity);
  EXPECT_EQ(reason([](auto& m) { m.set_price(1e9), m.set_quantity(1001); }), RejectReason::kAmountTooLarge);
  EXPECT_EQ(reason([](auto& m) { m.set_channel(std::string(257, 'x')); }), RejectReason::kFieldTooLong);
  EXPECT_EQ(reason([](auto& m) { m.set_rating(std::numeric_limits<double>::infinity()); }), RejectReason::kInvalidField);
  EXPECT_EQ(reason([](auto& m) { m.add_traits(); }), RejectReason::kInvalidField);
  EXPECT_EQ(reason([](auto& m) {
              while (m.items_size() < 1001) m.add_items();
            }),
            RejectReason::kTooManyItems);
  EXPECT_EQ(reason([](auto& m) { m.set_received_at(-1); }), RejectReason::kInvalidField);
  EXPECT_EQ(reason([](auto&) {}, time_from_ms(1700000000000)), std::nullopt);
  EXPECT_EQ(reason([](auto&) {}, time_from_ms(1699999999999)), RejectReason::kFromTheFuture);
}

TEST(EventProtobufTest, bytes_that_are_no_message_are_refused) {
  EventProtobufDecoder decoder;
  Arena arena;
  event::Event event;
  EXPECT_EQ(decoder.decode("\x0a\x05"
                           "abc",
                           kNoTime, arena, event),
            RejectReason::kInvalidProtobuf);
  EXPECT_EQ(decoder.decode("\x0a\x01\xff", kNoTime, arena, event), RejectReason::kInvalidProtobuf);
  EXPECT_EQ(decoder.decode(std::string(event::kMaxRecordBytes + 1, 'x'), kNoTime, arena, event), RejectReason::kRecordTooLarge);
  EXPECT_EQ(decoder.decode("", kNoTime, arena, event), RejectReason::kMissingEventId);
}

}  // namespace
}  // namespace segue::codec
