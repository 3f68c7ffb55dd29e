// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/event_decoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/unit/codec/event_oracle.h"
#include "tests/unit/codec/sample_events.h"

namespace segue::codec {
namespace {

using event::Event;
using event::EventType;
using event::RejectReason;

class EventDecoderTest : public ::testing::Test {
 protected:
  // Decodes a copy with `behind` as its padding.
  Rejection decode(std::string_view line, Time appended_at = kNoTime, char behind = '\n') {
    text_.assign(line).append(EventDecoder::kPadding, behind);
    return decoder_.decode(std::string_view(text_.data(), line.size()), appended_at, arena_, event_);
  }
  std::string reason(std::string_view line, Time appended_at = kNoTime) {
    const auto rejection = decode(line, appended_at);
    return rejection ? std::string(name(*rejection)) : "accepted";
  }
  // A record that is right but for `fields`, which come last and so count.
  std::string reason_of_fields(std::string_view fields) {
    return reason(R"({"event_id":"e","user_id":"u","type":"purchase","ts":1700000000000,)" + std::string(fields) + "}");
  }

  std::string text_;
  Arena arena_;
  Event event_;
  EventDecoder decoder_;
};

TEST_F(EventDecoderTest, the_reference_record_gives_every_field) {
  ASSERT_FALSE(decode(kSampleLines[0]));
  EXPECT_EQ(event_.type, EventType::kClick);
  EXPECT_EQ(event_.event_id, "e-000000012345");
  EXPECT_EQ(event_.user_id, "u-0001234");
  EXPECT_EQ(to_ms(event_.ts), 1700000000123);
  EXPECT_EQ(event_.received_at, kNoTime);
  EXPECT_EQ(event_.item.item_id, "i-00042");
  EXPECT_EQ(event_.item.category, "c-17");
  EXPECT_EQ(event_.item.brand, "b-203");
  EXPECT_EQ(event_.item.price.micros, 129'900'000);
  EXPECT_EQ(event_.item.quantity, 1);
  EXPECT_EQ(event_.session_id, "s-99");
  EXPECT_EQ(event_.channel, "app");
  EXPECT_EQ(event_.details, nullptr);
  // In place: nothing was copied.
  EXPECT_GE(event_.channel.data(), text_.data());
  EXPECT_LT(event_.channel.data(), text_.data() + text_.size());
}

TEST_F(EventDecoderTest, items_traits_and_details_are_read) {
  ASSERT_FALSE(decode(kSampleLines[2]));
  ASSERT_EQ(event_.items.size(), 3u);
  EXPECT_EQ(event_.items[0].category, "女装");
  EXPECT_EQ(event_.items[0].total().micros, 200'000'000);
  EXPECT_EQ(event_.items[2].quantity, 1);
  ASSERT_FALSE(decode(kSampleLines[3]));
  ASSERT_EQ(event_.traits.size(), 5u);
  EXPECT_EQ(std::get<double>(event_.traits[0].value), 33);
  EXPECT_EQ(std::get<bool>(event_.traits[1].value), true);
  EXPECT_EQ(std::get<std::string_view>(event_.traits[2].value), "上海");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(event_.traits[3].value));
  ASSERT_FALSE(decode(kSampleLines[4]));
  ASSERT_NE(event_.details, nullptr);
  EXPECT_EQ(event_.details->text, "good \"shoes\"\n你好 😀");
  EXPECT_EQ(event_.details->rating, 4.5);
}

TEST_F(EventDecoderTest, every_event_type_is_known_by_its_name) {
  for (const std::string_view type : event::kEventTypeNames) {
    ASSERT_FALSE(decode(R"({"event_id":"e","user_id":"u","ts":1,"type":")" + std::string(type) + "\"}")) << type;
    EXPECT_EQ(name(event_.type), type);
  }
}

TEST_F(EventDecoderTest, each_reason_has_its_records) {
  EXPECT_EQ(reason(""), "invalid_json");
  EXPECT_EQ(reason(" \t\r "), "invalid_json");
  EXPECT_EQ(reason(kSampleLines[0].substr(0, 100)), "invalid_json");
  EXPECT_EQ(reason("{\"event_id\":\"\xff\"}"), "invalid_utf8");
  EXPECT_EQ(reason("42"), "not_an_object");
  EXPECT_EQ(reason("[]"), "not_an_object");
  EXPECT_EQ(reason("{}"), "missing_event_id");
  EXPECT_EQ(reason(R"({"event_id":""})"), "missing_event_id");
  EXPECT_EQ(reason(R"({"event_id":7})"), "missing_event_id");
  EXPECT_EQ(reason(R"({"event_id":"e","user__d":"u"})"), "missing_user_id");
  EXPECT_EQ(reason(R"({"event_id":"e","user_id":"u","type":"unview"})"), "unknown_type");
  EXPECT_EQ(reason(R"({"event_id":"e","user_id":"u"})"), "unknown_type");
  for (const char* ts : {"\"1700000000123\"", "-1", "1.7e12", "1700000000123.0", "253402300800000", "null", "true", "99999999999999999999"})
    EXPECT_EQ(reason(R"({"event_id":"e","user_id":"u","type":"view","ts":)" + std::string(ts) + "}"), "invalid_ts") << ts;
  EXPECT_EQ(reason(R"({"event_id":"e","user_id":"u","type":"view"})"), "invalid_ts");
  for (const char* price : {"-0.01", "\"12\"", "true", "[]", "1000000001", "1e300"})
    EXPECT_EQ(reason_of_fields("\"price\":" + std::string(price)), "invalid_price") << price;
  for (const char* quantity : {"0", "-1", "1.5", "1.0", "1e2", "1000001", "\"1\"", "{}", "12345678901234567890"})
    EXPECT_EQ(reason_of_fields("\"quantity\":" + std::string(quantity)), "invalid_quantity") << quantity;
  for (const char* field :
       {"\"item_id\":7", "\"channel\":[]", "\"items\":{}", "\"items\":[1]", "\"traits\":[]", "\"traits\":{\"a\":{}}", "\"traits\":{\"\":1}",
        "\"rating\":\"5\"", "\"received_at\":-1", "\"received_at\":1.5", "\"query\":false", "\"items\":[{\"brand\":1}]"})
    EXPECT_EQ(reason_of_fields(field), "invalid_field") << field;
  EXPECT_EQ(reason_of_fields(R"("items":[{"price":-1}])"), "invalid_price");
  EXPECT_EQ(reason_of_fields(R"("price":1e9,"quantity":1001)"), "amount_too_large");
  EXPECT_EQ(reason_of_fields(R"("items":[{"price":1e9,"quantity":1000000}])"), "amount_too_large");
  EXPECT_EQ(reason(std::string(event::kMaxRecordBytes + 1, ' ')), "record_too_large");
  EXPECT_EQ(reason_of_fields(R"("received_at":1699999699999)"), "from_the_future");
}

TEST_F(EventDecoderTest, limits_hold_to_the_byte) {
  const auto text = [](size_t n) { return "\"" + std::string(n, 'x') + "\""; };
  for (const char* field :
       {"item_id", "category", "brand", "order_id", "session_id", "channel", "coupon_id", "campaign_id", "message_id", "event_id", "user_id"}) {
    EXPECT_EQ(reason_of_fields("\"" + std::string(field) + "\":" + text(256)), "accepted") << field;
    EXPECT_EQ(reason_of_fields("\"" + std::string(field) + "\":" + text(257)), "field_too_long") << field;
  }
  for (const char* field : {"query", "text"}) {
    EXPECT_EQ(reason_of_fields("\"" + std::string(field) + "\":" + text(16384)), "accepted");
    EXPECT_EQ(reason_of_fields("\"" + std::string(field) + "\":" + text(16385)), "field_too_long");
  }
  EXPECT_EQ(reason_of_fields(R"("traits":{"a":)" + text(16384) + "}"), "accepted");
  EXPECT_EQ(reason_of_fields(R"("traits":{"a":)" + text(16385) + "}"), "field_too_long");
  EXPECT_EQ(reason_of_fields(R"("traits":{)" + text(257) + ":1}"), "field_too_long");
  // The limit is on what the escapes stand for.
  std::string escaped = "\"channel\":\"";
  for (int i = 0; i < 256; ++i) escaped += "\\u0041";
  EXPECT_EQ(reason_of_fields(escaped + "\""), "accepted");
  EXPECT_EQ(event_.channel, std::string(256, 'A'));
  const auto many = [](size_t n, const std::string& first, const std::string& last) {
    std::string list;
    for (size_t i = 0; i < n; ++i) list += (i == 0 ? "" : ",") + first + (last.empty() ? "" : std::to_string(i) + last);
    return list;
  };
  EXPECT_EQ(reason_of_fields("\"items\":[" + many(1000, "{}", "") + "]"), "accepted");
  EXPECT_EQ(reason_of_fields("\"items\":[" + many(1001, "{}", "") + "]"), "too_many_items");
  EXPECT_EQ(reason_of_fields("\"traits\":{" + many(64, "\"t", "\":1") + "}"), "accepted");
  EXPECT_EQ(reason_of_fields("\"traits\":{" + many(65, "\"t", "\":1") + "}"), "too_many_items");
  // A name stated again is still one trait.
  EXPECT_EQ(reason_of_fields("\"traits\":{" + many(64, "\"t", "\":1") + ",\"t63\":2}"), "accepted");
  EXPECT_EQ(reason_of_fields("\"x\":" + std::string(63, '[') + std::string(63, ']')), "accepted");
  EXPECT_EQ(reason_of_fields("\"x\":" + std::string(64, '[') + std::string(64, ']')), "invalid_json");
  std::string largest = R"({"event_id":"e","user_id":"u","type":"view","ts":1})";
  EXPECT_EQ(reason(largest + std::string(event::kMaxRecordBytes - largest.size(), ' ')), "accepted");
}

TEST_F(EventDecoderTest, json_that_is_almost_right_is_refused_even_in_fields_nobody_reads) {
  for (const char* value :
       {"01",       "-",      "+1",      "1.",   ".5",    "1e",   "1e+",     "0x1",         "1e999",       "-1e999",      "NaN",
        "Infinity", "tru",    "truex",   "nul",  "nulll", "'a'",  "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
        "\"a\tb\"", "\"a\"b", "1 2",     "[1,]", "[,1]",  "[1",   "{\"a\"}", "{\"a\":1,}",  "{1:2}",       "{\"a\" 1}",   "1\f",
        "--1",      "1.5.2",  "12\"a\"", "00",   "-01",   "1_000"})
    for (const char* field : {"amount", "price", "item_id", "ts", "traits", "items"}) {
      EXPECT_EQ(reason_of_fields("\"" + std::string(field) + "\":" + value), "invalid_json") << field << ":" << value;
      EXPECT_EQ(reason_of_fields("\"" + std::string(field) + "\":" + value + ",\"" + field + "\":null"), "invalid_json") << field << ":" << value;
    }
  for (const char* record :
       {"{} {}", "{},", "{", "}", "{\"a\":1}}", "\"\\u00\"", "1 2", "]", "1],[2", "\xef\xbb\xbf{}", "nul", "{\"a\":1", "{\"a\":", "{\"a\"", "{\"a"})
    EXPECT_EQ(reason(record), "invalid_json") << record;
}

TEST_F(EventDecoderTest, what_stands_behind_a_line_never_counts) {
  for (const char behind : {'0', '9', '"', '}', ']', ',', ':', '\\', ' ', 'e', '\0', '\xff'}) {
    EXPECT_EQ(decode("42", kNoTime, behind), RejectReason::kNotAnObject);
    EXPECT_EQ(decode("null", kNoTime, behind), RejectReason::kNotAnObject);
    EXPECT_EQ(decode("nul", kNoTime, behind), RejectReason::kInvalidJson);
    EXPECT_EQ(decode(R"({"event_id":"e","user_id":"u","type":"view","ts":1)", kNoTime, behind), RejectReason::kInvalidJson);
    EXPECT_EQ(decode(R"({"event_id":"e","user_id":"u","type":"view","ts":)", kNoTime, behind), RejectReason::kInvalidJson);
    EXPECT_EQ(decode(R"({"event_id":"e","user_id":"u","type":"view","ts":1})", kNoTime, behind), std::nullopt);
  }
}

TEST_F(EventDecoderTest, names_with_escapes_are_the_same_names_and_the_last_of_two_counts) {
  ASSERT_FALSE(decode(kSampleLines[6]));
  EXPECT_EQ(event_.event_id, "e-6");
  EXPECT_EQ(event_.type, EventType::kView);
  ASSERT_FALSE(decode(kSampleLines[7]));
  EXPECT_EQ(event_.event_id, "e-8");
  EXPECT_EQ(to_ms(event_.ts), 2);
  EXPECT_EQ(event_.item.price.micros, 1'000'000);
  ASSERT_EQ(event_.traits.size(), 2u);
  EXPECT_EQ(std::get<bool>(event_.traits[0].value), false);
  EXPECT_EQ(reason(R"({"ts\u0000":1,"event_id":"e","user_id":"u","type":"view"})"), "invalid_ts");
}

TEST_F(EventDecoderTest, one_reason_is_given_in_the_documented_order) {
  EXPECT_EQ(reason(R"({"price":-1,"ts":"x","user_id":"","event_id":"e")"), "invalid_json");
  EXPECT_EQ(reason(R"({"price":-1,"ts":"x","type":"?","user_id":"","event_id":"e"})"), "missing_user_id");
  EXPECT_EQ(reason(R"({"price":-1,"ts":"x","type":"?","user_id":"u","event_id":"e"})"), "unknown_type");
  EXPECT_EQ(reason(R"({"price":-1,"ts":"x","type":"view","user_id":"u","event_id":"e"})"), "invalid_ts");
  EXPECT_EQ(reason_of_fields(R"("quantity":0,"price":-1,"brand":1)"), "invalid_field");
  EXPECT_EQ(reason_of_fields(R"("quantity":0,"price":-1)"), "invalid_price");
}

TEST_F(EventDecoderTest, the_future_begins_after_the_bound_and_only_where_a_received_time_is_known) {
  const std::string line = R"({"event_id":"e","user_id":"u","type":"view","ts":1700000300000})";
  EXPECT_EQ(reason(line), "accepted");
  EXPECT_EQ(reason(line, time_from_ms(1700000000000)), "accepted");
  EXPECT_EQ(to_ms(event_.received_at), 1700000000000);
  EXPECT_EQ(reason(line, time_from_ms(1699999999999)), "from_the_future");
  // What the record itself says goes before the log's time.
  EXPECT_EQ(reason_of_fields(R"("received_at":1700000000000)"), "accepted");
  const std::string stated = R"({"event_id":"e","user_id":"u","type":"view","ts":1700000300000,"received_at":1700000000000})";
  EXPECT_EQ(reason(stated, time_from_ms(1)), "accepted");
  decoder_ = EventDecoder({.future_bound = Duration{0}, .check_future = false});
  EXPECT_EQ(reason(line, time_from_ms(1)), "accepted");
  decoder_ = EventDecoder({.future_bound = Duration{0}, .check_future = true});
  EXPECT_EQ(reason(stated), "from_the_future");
}

TEST_F(EventDecoderTest, numbers_are_rounded_as_the_standard_parser_rounds_them) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    std::string number = std::to_string(random() % (i % 2 == 0 ? 100'000 : 1'000'000'000'000'000'000));
    if (i % 3 != 0) number.insert(1 + random() % number.size(), ".");
    if (number.back() == '.') number += '5';
    if (i % 5 == 0) number += "e-" + std::to_string(random() % 30);
    if (number[0] == '0' && number.size() > 1 && number[1] != '.' && number[1] != 'e') continue;
    ASSERT_EQ(reason_of_fields("\"rating\":" + number), "accepted") << number;
    ASSERT_EQ(event_.details ? event_.details->rating : 0, std::strtod(number.c_str(), nullptr)) << number;
  }
  EXPECT_EQ(reason_of_fields("\"rating\":1e-999"), "accepted");
  EXPECT_EQ(reason_of_fields("\"rating\":-0.0000001e-400"), "accepted");
  EXPECT_EQ(reason_of_fields("\"rating\":0e999"), "accepted");
  EXPECT_EQ(reason_of_fields("\"price\":-0"), "accepted");
}

// Changes a line somewhere, mostly into something that is nearly right.
std::string mutate(std::string line, std::mt19937_64& random) {
  static constexpr std::array<std::string_view, 28> kPieces = {
      "\"",  "\\",      "{",  "}",        "[",  "]",    ",", ":", "0",       "-",       ".",           "e",        "null", "true",
      "1e9", "\\u0041", "\n", "\xe8\xb7", "跑", "\xff", " ", "9", "\"ts\":", "\\ud83d", ",\"price\":", "\"x\":1,", "\t",   "\"traits\":{"};
  for (uint64_t n = 1 + random() % 3; n > 0; --n) {
    const size_t at = random() % (line.size() + 1);
    switch (random() % 5) {
      case 0:
        line.insert(at, kPieces[random() % kPieces.size()]);
        break;
      case 1:
        line.erase(at, 1 + random() % 4);
        break;
      case 2:
        line.replace(at, 1, kPieces[random() % kPieces.size()]);
        break;
      case 3:
        line.insert(at, line.substr(random() % (line.size() + 1), random() % 20));
        break;
      default:
        if (random() % 4 == 0) line.resize(at);
        break;
    }
  }
  return line;
}

TEST_F(EventDecoderTest, mutated_lines_give_what_the_oracle_gives) {
  std::mt19937_64 random(1);
  std::array<size_t, event::kRejectReasons + 1> seen{};
  for (int i = 0; i < 60'000; ++i) {
    const std::string line = mutate(std::string(kSampleLines[random() % kSampleLines.size()]), random);
    const Time appended_at = i % 4 == 0 ? time_from_ms(1700000000000) : kNoTime;
    const oracle::Oracle expected(line, appended_at);
    const auto rejection = decode(line, appended_at, static_cast<char>(random()));
    ASSERT_EQ(rejection, expected.reason()) << line;
    ++seen[rejection ? static_cast<size_t>(*rejection) : event::kRejectReasons];
    ASSERT_TRUE(rejection || oracle::equal(event_, expected.event())) << line;
  }
  // The comparison means something only when both ends of it occur.
  EXPECT_GT(seen[event::kRejectReasons], 5'000u);
  EXPECT_GT(seen[static_cast<size_t>(RejectReason::kInvalidJson)], 5'000u);
}

TEST_F(EventDecoderTest, a_record_never_ends_in_the_line_after_it) {
  const std::string cut = R"({"event_id":"e","user_id":"u","type":"view","ts":1,"x":)";
  const std::string rest = "{}}", good = R"({"event_id":"e","user_id":"u","type":"view","ts":1})";
  text_ = cut + "\n" + rest + "\n" + good + "\n";
  const size_t size = text_.size();
  text_.append(EventDecoder::kPadding, ' ');
  decoder_.index_lines(std::string_view(text_.data(), size));
  const auto decode_at = [&](size_t begin, size_t length) { return decoder_.decode({text_.data() + begin, length}, kNoTime, arena_, event_); };
  EXPECT_EQ(decode_at(0, cut.size()), RejectReason::kInvalidJson);
  EXPECT_EQ(decode_at(cut.size() + 1, rest.size()), RejectReason::kInvalidJson);
  EXPECT_EQ(decode_at(cut.size() + rest.size() + 2, good.size()), std::nullopt);
  // Going back is slower, and right.
  EXPECT_EQ(decode_at(0, cut.size()), RejectReason::kInvalidJson);
  EXPECT_EQ(decode_at(cut.size() + rest.size() + 2, good.size()), std::nullopt);
}

TEST_F(EventDecoderTest, lines_indexed_together_give_what_each_gives_alone) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 2'000; ++round) {
    std::string block;
    std::vector<std::pair<size_t, size_t>> lines;
    for (uint64_t n = 1 + random() % 8; n > 0; --n) {
      std::string line(kSampleLines[random() % kSampleLines.size()]);
      if (random() % 4 == 0) line = mutate(line, random);
      std::erase(line, '\n');
      lines.emplace_back(block.size(), line.size());
      block += line + '\n';
    }
    const size_t size = block.size();
    block.append(EventDecoder::kPadding, static_cast<char>(random()));
    decoder_.index_lines(std::string_view(block.data(), size));
    for (const auto& [begin, length] : lines) {
      if (random() % 8 == 0) continue;
      const std::string_view line(block.data() + begin, length);
      const auto rejection = decoder_.decode(line, kNoTime, arena_, event_);
      const oracle::Oracle expected(line, kNoTime);
      ASSERT_EQ(rejection, expected.reason()) << line;
      ASSERT_TRUE(rejection || oracle::equal(event_, expected.event())) << line;
    }
  }
}

}  // namespace
}  // namespace segue::codec
