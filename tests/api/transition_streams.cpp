// SPDX-License-Identifier: Apache-2.0
#include "services/api/transition_streams.h"

#include <gtest/gtest.h>

namespace segue::api {
namespace {

constexpr std::string_view kMove =
    R"({"id":"u-1#2","user_id":"u-1","n":2,"type":"move","name":"potential-to-buyer","from":"potential","to":"buyer","at":1,"cause":"timer"})";
constexpr std::string_view kErased = R"({"id":"a\",\"type\":\"move#1","user_id":"a\",\"type\":\"move","n":1,"type":"erased","at":1})";

TEST(TransitionFilter, AnEmptyOneLetsAllThrough) {
  EXPECT_TRUE(TransitionFilter{}.passes(kMove));
  EXPECT_TRUE(TransitionFilter{}.passes(kErased));
}

TEST(TransitionFilter, LooksAtTypeNameAndUser) {
  EXPECT_TRUE((TransitionFilter{.types = {"entered", "move"}}.passes(kMove)));
  EXPECT_FALSE((TransitionFilter{.types = {"entered", "left"}}.passes(kMove)));
  EXPECT_TRUE((TransitionFilter{.name = "potential-to-buyer"}.passes(kMove)));
  EXPECT_FALSE((TransitionFilter{.name = "potential"}.passes(kMove)));
  EXPECT_TRUE((TransitionFilter{.user_id = "u-1"}.passes(kMove)));
  EXPECT_FALSE((TransitionFilter{.user_id = "u"}.passes(kMove)));
  EXPECT_FALSE((TransitionFilter{.types = {"move"}, .user_id = "u-2"}.passes(kMove)));
}

TEST(TransitionFilter, IsNotDeceivedByTextWithinAnId) {
  EXPECT_FALSE((TransitionFilter{.types = {"move"}}.passes(kErased)));
  EXPECT_TRUE((TransitionFilter{.user_id = "a\",\"type\":\"move"}.passes(kErased)));
}

}  // namespace
}  // namespace segue::api
