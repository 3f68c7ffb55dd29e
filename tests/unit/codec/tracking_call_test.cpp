// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/tracking_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "lib/codec/event_json.h"

namespace segue::codec {
namespace {

using event::EventType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr Time kReceived = time_from_ms(1'795'289'945'000);  // 2026-11-21T19:39:05Z

struct Read {
  std::vector<std::string> events;  // canonical
  std::map<std::string, uint64_t> skipped;
  uint64_t ignored = 0;
  std::string error;

  // Of the only event the part behind the fixed beginning.
  std::string rest() const {
    if (events.size() != 1) return "no single event";
    const std::string head = R"("received_at":1795289945000)";
    const size_t at = events[0].find(head);
    return events[0].substr(at + head.size());
  }
};

Read read(std::string_view body, std::optional<CallKind> kind, TrackingOptions options = {}) {
  TrackingDecoder decoder(std::move(options));
  Read result;
  if (auto opened = decoder.open(body, kind, kReceived); !opened) {
    EXPECT_EQ(opened.error().kind, ErrorClass::kData);
    result.error = opened.error().message;
  }
  event::Event event;
  while (decoder.next(event)) append_json(event, result.events.emplace_back());
  for (size_t i = 0; i < kSkipReasons; ++i)
    if (decoder.counts().skipped[i] != 0) result.skipped[std::string(kSkipReasonNames[i])] = decoder.counts().skipped[i];
  result.ignored = decoder.counts().ignored_properties;
  return result;
}
Read track(const std::string& name, const std::string& properties) {
  return read(R"({"messageId":"m","userId":"u","event":")" + name + R"(","properties":)" + properties + "}", CallKind::kTrack);
}
std::map<std::string, uint64_t> skipped(std::string_view body, CallKind kind) { return read(body, kind).skipped; }

TEST(TrackingCall, AProductBecomesALine) {
  const Read call =
      track("Product Viewed", R"({"product_id":"i-1","sku":"s","category":"Games","brand":"Hasbro","price":18.99,"quantity":2,"coupon":"C"})");
  EXPECT_THAT(call.events,
              ElementsAre(R"({"event_id":"m","type":"view","user_id":"u","ts":1795289945000,"received_at":1795289945000,"item_id":"i-1",)"
                          R"("category":"Games","brand":"Hasbro","price":18.99,"quantity":2})"));
  EXPECT_EQ(call.ignored, 0U);
}

TEST(TrackingCall, ItemsIdIsTheFirstThatIsThere) {
  EXPECT_EQ(track("Product Viewed", R"({"sku":"s","id":7})").rest(), R"(,"item_id":"s"})");
  EXPECT_EQ(track("Product Viewed", R"({"product_id":null,"sku":"","id":7})").rest(), R"(,"item_id":"7"})");
}

TEST(TrackingCall, AnOrderHasItsProducts) {
  const Read call = track("Order Completed", R"({"order_id":"o-1","total":27.5,"revenue":25,"coupon":"hasbros","currency":"USD","products":[
    {"product_id":"a","price":19,"quantity":1,"category":"Games"},{"sku":"b","price":"3","quantity":"2"}]})");
  EXPECT_EQ(
      call.rest(),
      R"(,"order_id":"o-1","items":[{"item_id":"a","category":"Games","price":19},{"item_id":"b","price":3,"quantity":2}],"coupon_id":"hasbros"})");
}

TEST(TrackingCall, AnOrderWithoutPricesCountsItsRevenue) {
  EXPECT_EQ(track("Order Completed", R"({"revenue":25,"total":27.5,"products":[{"product_id":"a"},{"product_id":"b","quantity":2}]})").rest(),
            R"(,"items":[{"item_id":"a"},{"item_id":"b","quantity":2},{"price":25}]})");
  EXPECT_EQ(track("Order Completed", R"({"total":"27.5","value":1,"products":[]})").rest(), R"(,"price":27.5})");
  EXPECT_EQ(track("Order Refunded", R"({"order_id":"o","value":30})").rest(), R"(,"order_id":"o","price":30})");
}

TEST(TrackingCall, AnOrderWithAWrongAmountIsSkippedAndAViewIsNot) {
  EXPECT_THAT(track("Order Completed", R"({"products":[{"price":-1}]})").skipped, ElementsAre(Pair("invalid_price", 1)));
  EXPECT_THAT(track("Order Completed", R"({"products":[{"price":1,"quantity":0}]})").skipped, ElementsAre(Pair("invalid_quantity", 1)));
  EXPECT_THAT(track("Order Completed", R"({"products":[{"price":1e9,"quantity":1000000}]})").skipped, ElementsAre(Pair("invalid_price", 1)));
  EXPECT_THAT(track("Order Completed", R"({"revenue":"free"})").skipped, ElementsAre(Pair("invalid_price", 1)));
  const Read view = track("Product Viewed", R"({"product_id":"i","price":"free","quantity":1.5,"category":["a"],"brand":{"n":1}})");
  EXPECT_EQ(view.rest(), R"(,"item_id":"i"})");
  EXPECT_EQ(view.ignored, 4U);
}

TEST(TrackingCall, ProductsAreBounded) {
  const auto order = [](size_t products) {
    std::string list;
    for (size_t i = 0; i < products; ++i) list += i == 0 ? "{}" : ",{}";
    return track("Order Completed", R"({"products":[)" + list + "]}");
  };
  EXPECT_EQ(order(999).events.size(), 1U);
  EXPECT_THAT(order(1000).skipped, ElementsAre(Pair("too_many_items", 1)));
}

TEST(TrackingCall, EachTypeTakesItsOwnDetails) {
  EXPECT_EQ(track("Products Searched", R"({"query":"blue roses","text":"no"})").rest(), R"(,"query":"blue roses"})");
  EXPECT_EQ(track("Product Reviewed", R"({"review_body":"I love it","rating":"5"})").rest(), R"(,"text":"I love it","rating":5})");
  EXPECT_EQ(track("Coupon Applied", R"({"coupon_id":"may","coupon":"x"})").rest(), R"(,"coupon_id":"may"})");
  EXPECT_EQ(track("Email Opened", R"({"campaign_id":"c","email_id":"e"})").rest(), R"(,"campaign_id":"c","message_id":"e"})");
  EXPECT_EQ(track("Product Viewed", R"({"query":"q","rating":1,"campaign_id":"c","products":[{}]})").rest(), "}");
}

TEST(TrackingCall, TimeIsCorrectedByTheClientsClock) {
  const auto ts = [](const std::string& fields) {
    const Read call = read(R"({"messageId":"m","userId":"u","event":"Cart Viewed",)" + fields + "}", CallKind::kTrack);
    if (call.events.size() != 1) return std::string(call.skipped.begin()->first);
    return call.events[0].substr(call.events[0].find("\"ts\"") + 5, 13);
  };
  // The client's clock is an hour late: it happened two seconds before it was sent.
  EXPECT_EQ(ts(R"("timestamp":"2026-11-21T18:39:01.000Z","sentAt":"2026-11-21T18:39:03.000Z")"), "1795289943000");
  EXPECT_EQ(ts(R"("originalTimestamp":"2026-11-21T19:39:01.250Z")"), "1795289941250");
  EXPECT_EQ(ts(R"("timestamp":1795289941250,"originalTimestamp":"no time")"), "1795289941250");
  EXPECT_EQ(ts(R"("timestamp":null,"sentAt":"2026-11-21T18:39:03.000Z")"), "1795289945000");
  // Never later than it was received.
  EXPECT_EQ(ts(R"("timestamp":"2027-01-01T00:00:00Z")"), "1795289945000");
  EXPECT_EQ(ts(R"("timestamp":"yesterday")"), "invalid_time");
  EXPECT_EQ(ts(R"("timestamp":"1969-12-31T23:59:59Z")"), "invalid_time");
}

TEST(TrackingCall, TheRequestsSentAtGoesBeforeTheCalls) {
  const Read batch = read(R"({"sentAt":"2026-11-21T19:39:00Z","batch":[{"type":"screen","userId":"u","messageId":"m",
    "timestamp":"2026-11-21T19:38:59Z","sentAt":"2026-11-21T19:38:59Z"}]})",
                          std::nullopt);
  EXPECT_THAT(batch.events, ElementsAre(HasSubstr(R"("ts":1795289944000)")));
  const Read rudder = read(R"({"batch":[{"type":"screen","userId":"u","messageId":"m",
    "originalTimestamp":"2026-11-21T19:38:59Z","sentAt":"2026-11-21T19:39:00Z"}]})",
                           std::nullopt);
  EXPECT_THAT(rudder.events, ElementsAre(HasSubstr(R"("ts":1795289944000)")));
}

TEST(TrackingCall, TheUserIsKnownOrAnonymous) {
  const auto user = [](const std::string& fields) {
    const Read call = read(R"({"messageId":"m",)" + fields + "}", CallKind::kPage);
    if (call.events.size() != 1) return std::string(call.skipped.begin()->first);
    const size_t at = call.events[0].find("\"user_id\":\"") + 11;
    return call.events[0].substr(at, call.events[0].find('"', at) - at);
  };
  EXPECT_EQ(user(R"("userId":"u-1","anonymousId":"a")"), "u-1");
  EXPECT_EQ(user(R"("userId":null,"anonymousId":"a")"), "anon:a");
  EXPECT_EQ(user(R"("userId":"","anonymousId":7)"), "anon:7");
  EXPECT_EQ(user(R"("userId":42)"), "42");
  EXPECT_EQ(user(R"("userId":4.2)"), "missing_user");
  EXPECT_EQ(user(R"("anonymousId":"")"), "missing_user");
  EXPECT_EQ(user(R"("userId":")" + std::string(256, 'u') + '"'), std::string(256, 'u'));
  EXPECT_EQ(user(R"("userId":")" + std::string(257, 'u') + '"'), "id_too_long");
  EXPECT_EQ(user(R"("anonymousId":")" + std::string(252, 'u') + '"'), "id_too_long");
}

TEST(TrackingCall, ACallWithoutAnIdGetsOneThatARepetitionShares) {
  const auto id = [](const std::string& fields, const std::string& instance) {
    const Read call = read(R"({"userId":"u")" + fields + "}", CallKind::kPage, {.instance = instance});
    return call.events.at(0).substr(13, call.events[0].find("\",\"type") - 13);
  };
  const std::string dated = R"(,"timestamp":"2026-11-21T18:39:01Z")";
  EXPECT_EQ(id(dated, "a"), id(dated, "b"));
  EXPECT_EQ(id(dated, "a").size(), 5 + 32U);
  EXPECT_NE(id(dated, "a"), id(dated + R"(,"name":"x")", "a"));
  // Two views in the same millisecond are two.
  EXPECT_EQ(id("", "a"), "call-a-1");
  EXPECT_EQ(id("", "b"), "call-b-1");
  EXPECT_THAT(skipped(R"({"userId":"u","messageId":")" + std::string(257, 'm') + "\"}", CallKind::kPage), ElementsAre(Pair("id_too_long", 1)));
}

TEST(TrackingCall, TraitsAreFlattened) {
  const Read call = read(R"({"messageId":"m","userId":"u","traits":{"email":"a@b","age":33,"vip":true,"gone":null,
    "address":{"city":"上海","geo":{"lat":31.2}},"list":[1],"":1,"age":34}})",
                         CallKind::kIdentify);
  EXPECT_EQ(call.rest(), R"(,"traits":{"email":"a@b","age":34,"vip":true,"gone":null,"address.city":"上海","address.geo.lat":31.2}})");
  EXPECT_EQ(call.ignored, 2U);
  const Read context = read(R"({"messageId":"m","userId":"u","traits":null,"context":{"traits":{"a":"b"}}})", CallKind::kIdentify);
  EXPECT_EQ(context.rest(), R"(,"traits":{"a":"b"}})");
}

TEST(TrackingCall, TraitsAreBounded) {
  std::string traits;
  for (int i = 0; i < 70; ++i) traits += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + "\":1";
  const Read call = read(R"({"messageId":"m","userId":"u","traits":{)" + traits + "}}", CallKind::kIdentify);
  EXPECT_EQ(call.ignored, 6U);
  EXPECT_THAT(call.rest(), HasSubstr(R"("t63":1}})"));
}

TEST(TrackingCall, PagesAreViewsUnlessSwitchedOff) {
  const std::string page = R"({"messageId":"m","userId":"u","category":"Docs","properties":{"url":"x"},"channel":"web","context":{"sessionId":99}})";
  EXPECT_EQ(read(page, CallKind::kPage).rest(), R"(,"category":"Docs","session_id":"99","channel":"web"})");
  EXPECT_THAT(read(page, CallKind::kScreen, {.pages = false}).skipped, ElementsAre(Pair("page", 1)));
}

TEST(TrackingCall, WhatBecomesNoEventIsCountedByItsReason) {
  const Read batch = read(R"({"writeKey":"k","batch":[{"type":"alias","userId":"u"},{"type":"group","userId":"u"},{"type":"dance"},{},7,
    {"type":"track","userId":"u"},{"type":"track","event":"Order Updated"},{"type":"track","event":"Cart Viewed","userId":"u","messageId":"m"}]})",
                          std::nullopt);
  EXPECT_EQ(batch.events.size(), 1U);
  EXPECT_THAT(batch.skipped,
              ElementsAre(Pair("alias", 1), Pair("group", 1), Pair("not_an_object", 1), Pair("unknown_call", 3), Pair("unmapped_event", 1)));
}

TEST(TrackingCall, TheRouteSaysTheKindWhateverTheCallSays) {
  EXPECT_THAT(skipped(R"({"type":"track","event":"Cart Viewed","userId":"u"})", CallKind::kAlias), ElementsAre(Pair("alias", 1)));
}

TEST(TrackingCall, ALargeCallIsRefusedAloneAndSkippedInABatch) {
  const std::string large = R"({"type":"page","userId":"u","messageId":"m","x":")" + std::string(1000, 'x') + "\"}";
  const TrackingOptions options{.max_call_bytes = 1000};
  EXPECT_THAT(read(large, CallKind::kPage, options).error, HasSubstr("1000 bytes"));
  const Read batch = read(R"({"batch":[)" + large + R"(,{"type":"page","userId":"u","messageId":"m"}]})", std::nullopt, options);
  EXPECT_THAT(batch.skipped, ElementsAre(Pair("call_too_large", 1)));
  EXPECT_EQ(batch.events.size(), 1U);
}

TEST(TrackingCall, AnUnusableBodyIsToldWhatIsWrong) {
  EXPECT_THAT(read("", CallKind::kPage).error, HasSubstr("not JSON"));
  EXPECT_THAT(read("{\"a\":\"\xff\"}", CallKind::kPage).error, HasSubstr("UTF-8"));
  EXPECT_THAT(read("[]", std::nullopt).error, HasSubstr("object"));
  EXPECT_THAT(read(R"({"batch":{}})", std::nullopt).error, HasSubstr("batch"));
  EXPECT_THAT(read(R"({"batch":[)", std::nullopt).error, HasSubstr("not JSON"));
  EXPECT_THAT(read(R"({"batch":[]} x)", std::nullopt).error, HasSubstr("not JSON"));
  EXPECT_THAT(read(R"({"a":)" + std::string(64, '[') + std::string(64, ']') + "}", CallKind::kPage).error, HasSubstr("64"));
  EXPECT_EQ(read(R"({"batch":[]})", std::nullopt).error, "");
}

TEST(TrackingCall, NamesWithEscapesAndRepeatedNamesAreUnderstood) {
  const Read call = read(R"({"user\u0049d":"a","userId":"b","messageId":"\"","event":"Cart\u0020Viewed"})", CallKind::kTrack);
  EXPECT_THAT(call.events, ElementsAre(HasSubstr(R"({"event_id":"\"","type":"view","user_id":"b")")));
}

TEST(TrackingCall, TheWriteKeyOfABodyIsKnown) {
  TrackingDecoder decoder({});
  ASSERT_TRUE(decoder.open(R"({"batch":[],"writeKey":"KEY"})", std::nullopt, kReceived));
  EXPECT_EQ(decoder.write_key(), "KEY");
  ASSERT_TRUE(decoder.open(R"({"batch":[]})", std::nullopt, kReceived));
  EXPECT_EQ(decoder.write_key(), "");
}

}  // namespace
}  // namespace segue::codec
