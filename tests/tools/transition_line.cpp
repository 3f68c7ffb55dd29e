// SPDX-License-Identifier: Apache-2.0
#include "services/tools/transition_line.h"

#include <gtest/gtest.h>

namespace segue::tools {
namespace {

TEST(TransitionReader, ReadsAMove) {
  TransitionReader reader;
  const auto line = reader.read(
      R"({"id":"u\"1#2","user_id":"u\"1","n":2,"type":"move","name":"成交","from":"potential","to":"buyer","at":1700000000123,"cause":"event",)"
      R"("event_id":"e-1","profile":{"orders":1,"spend":129.9,"name":"inner"},"definitions":"00","later":[1,{"n":9}]})");
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->user_id, "u\"1");
  EXPECT_EQ(line->n, 2u);
  EXPECT_EQ(line->type, "move");
  EXPECT_EQ(line->name, "成交");
  EXPECT_EQ(line->from, "potential");
  EXPECT_EQ(line->to, "buyer");
  EXPECT_EQ(to_ms(line->at), 1'700'000'000'123);
  EXPECT_EQ(line->cause, "event");
  EXPECT_EQ(line->event_id, "e-1");
  EXPECT_EQ(line->key, "");
}

TEST(TransitionReader, ReadsManyLinesOneAfterTheOther) {
  TransitionReader reader;
  for (int i = 1; i < 100; ++i) {
    const std::string text =
        R"({"user_id":")" + std::string(static_cast<size_t>(i), 'u') + R"(","n":)" + std::to_string(i) + R"(,"type":"erased","at":-5})";
    const auto line = reader.read(text);
    ASSERT_TRUE(line);
    EXPECT_EQ(line->user_id.size(), static_cast<size_t>(i));
    EXPECT_EQ(to_ms(line->at), -5);
  }
}

TEST(TransitionReader, RefusesWhatIsNoTransition) {
  TransitionReader reader;
  for (const char* text : {"", "{", "[]", "null", R"({"user_id":"u","n":1,"type":"move"})", R"({"user_id":"u","n":0,"type":"move","at":1})",
                           R"({"user_id":"u","n":1,"type":"move","at":"1"})", R"({"n":1,"type":"move","at":1})",
                           R"({"user_id":"u","n":1,"type":"move","at":1}})", R"({"user_id":7,"n":1,"type":"move","at":1})"}) {
    const auto line = reader.read(text);
    ASSERT_FALSE(line) << text;
    EXPECT_EQ(line.error().kind, ErrorClass::kData);
  }
}

}  // namespace
}  // namespace segue::tools
