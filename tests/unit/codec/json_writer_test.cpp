// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/json_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace segue::codec {
namespace {

TEST(JsonWriterTest, commas_stand_between_values_only) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.name("a"), json.begin_array(), json.integer(-1), json.begin_object(), json.end_object(), json.null(), json.end_array();
  json.name("b"), json.boolean(true);
  json.foreign_name("c\""), json.money(Money{1'500'000});
  json.name("d"), json.number(0.1);
  json.name("e"), json.raw("[]");
  json.end_object();
  EXPECT_EQ(out, R"({"a":[-1,{},null],"b":true,"c\"":1.5,"d":0.1,"e":[]})");
}

TEST(JsonWriterTest, every_byte_of_a_string_is_read_back) {
  std::string text = "跑鞋😀";
  for (int c = 0; c < 128; ++c) text.push_back(static_cast<char>(c));
  std::string out;
  append_json_string(out, text);
  EXPECT_EQ(nlohmann::json::parse(out).get<std::string>(), text);
  EXPECT_EQ(out.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace segue::codec
