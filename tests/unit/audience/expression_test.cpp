// SPDX-License-Identifier: Apache-2.0
#include "lib/audience/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "tests/unit/audience/index_fixture.h"

namespace segue::audience {
namespace {

// Users 0 to 9: even ones are buyers, 3 and 6 vip, 1 to 4 due for i-1, 4 and 5 due for "red: 1", 2 and 70,000 tagged.
Index make_index() {
  Index index(shop());
  for (UserNumber user = 0; user < 10; ++user) index.add_user(user, 0);
  index.add_user(70'000, 2);
  for (UserNumber user = 0; user < 10; user += 2) index.apply(user, moved(0, 1));
  for (const UserNumber user : {3u, 6u}) index.apply(user, entered(kVip));
  for (UserNumber user = 1; user <= 4; ++user) index.apply(user, entered(kDue, "i-1"));
  for (UserNumber user = 4; user <= 5; ++user) index.apply(user, entered(kDue, "red: 1"));
  for (const UserNumber user : {2u, 70'000u}) index.apply(user, entered(kCategory, "cat:女装"));
  for (const UserNumber user : {7u, 8u}) index.apply(user, entered(kCategory, "cat:a b"));
  index.apply(9, entered(kOld));
  return index;
}

std::vector<UserNumber> users(std::string_view text) {
  static const Index index = make_index();
  const auto expression = Expression::parse(text, shop());
  if (!expression) {
    ADD_FAILURE() << text << ": " << expression.error().column << ": " << expression.error().message;
    return {};
  }
  std::vector<UserNumber> found;
  EXPECT_EQ(page(index, *expression, 0, 1000, UINT32_MAX, found), kNoUser);
  EXPECT_EQ(count(index, *expression), found.size()) << text;
  return found;
}

std::string mistake(std::string_view text) {
  const auto expression = Expression::parse(text, shop());
  return expression ? "none" : std::to_string(expression.error().column) + ": " + expression.error().message;
}

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(AudienceExpression, NamesStandForSets) {
  EXPECT_EQ(users("all").size(), 11u);
  EXPECT_THAT(users("stage:lapsed"), ElementsAre(70'000));
  EXPECT_THAT(users("segment:vip"), ElementsAre(3, 6));
  EXPECT_THAT(users("segment:老客"), ElementsAre(9));
  EXPECT_THAT(users("segment:due"), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(users("segment:due[i-1]"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(users("segment:due[\"red: 1\"]"), ElementsAre(4, 5));
  EXPECT_THAT(users("segment:due[i-2]"), IsEmpty());
  EXPECT_THAT(users("tag:cat:女装"), ElementsAre(2, 70'000));
  EXPECT_THAT(users("tag:\"cat:a b\""), ElementsAre(7, 8));
  EXPECT_THAT(users("tag:cat:*"), ElementsAre(2, 7, 8, 70'000));
  EXPECT_THAT(users("tag:cat:none"), IsEmpty());
  EXPECT_THAT(users("tag:regular"), IsEmpty());
}

TEST(AudienceExpression, NotBindsTightestThenAndThenOr) {
  EXPECT_THAT(users("segment:vip or stage:buyer and segment:due"), ElementsAre(2, 3, 4, 6));
  EXPECT_THAT(users("(segment:vip or stage:buyer) and segment:due"), ElementsAre(2, 3, 4));
  EXPECT_THAT(users("not stage:buyer and segment:due"), ElementsAre(1, 3, 5));
  EXPECT_THAT(users("segment:due and not (stage:buyer or segment:vip)"), ElementsAre(1, 5));
  EXPECT_THAT(users("not not segment:vip"), ElementsAre(3, 6));
  EXPECT_THAT(users("NOT All or segment:vip AND all"), ElementsAre(3, 6));
}

TEST(AudienceExpression, AChineseKeyboardWorks) {
  EXPECT_THAT(users("（segment：vip or tag：“cat:女装”）　and not stage:buyer"), ElementsAre(3, 70'000));
  EXPECT_THAT(users("segment:due【i-1】"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(users(" segment : vip\n"), ElementsAre(3, 6));
}

TEST(AudienceExpression, MistakesAreToldWithTheirPlace) {
  EXPECT_THAT(mistake(""), HasSubstr("1: found the end, expected stage:, segment:, tag:"));
  EXPECT_EQ(mistake("segment:老客 and stage:byer"), "22: there is no stage \"byer\": did you mean \"buyer\"?");
  EXPECT_THAT(mistake("stage:qqqqqq"), HasSubstr("7: there is no stage \"qqqqqq\": there are new, buyer, lapsed"));
  EXPECT_THAT(mistake("tag:color:red"), HasSubstr("there is no tag \"color:red\""));
  EXPECT_THAT(mistake("tag:cat:"), HasSubstr("9: found the end, expected a name"));
  EXPECT_THAT(mistake("segment:regular"), HasSubstr("there is no segment \"regular\""));
  EXPECT_EQ(mistake("segment:vip[a]"), "12: the segment \"vip\" has no keys");
  EXPECT_EQ(mistake("segment:due[]"), "13: found \"]\", expected a key");
  EXPECT_EQ(mistake("segment:due[red shoes]"), "17: found \"shoes\", expected a closing square bracket");
  EXPECT_EQ(mistake("segment:vip segment:due"), "13: found \"segment\", expected and, or, or the end");
  EXPECT_EQ(mistake("(segment:vip"), "13: found the end, expected and, or, or a closing bracket");
  EXPECT_EQ(mistake("segment vip"), "9: found \"vip\", expected a colon");
  EXPECT_EQ(mistake("all and tag:\"cat:"), "13: a quote is opened here and never closed");
  EXPECT_EQ(mistake("all \"x"), "5: a quote is opened here and never closed");
  EXPECT_THAT(mistake("all and vip"), HasSubstr("9: found \"vip\", expected stage:"));
  EXPECT_THAT(mistake("all\xff"), HasSubstr("not UTF-8"));
}

TEST(AudienceExpression, SizesAreBounded) {
  std::string names = "all";
  for (size_t i = 1; i < kMaxExpressionNames; ++i) names += " or all";
  EXPECT_EQ(mistake(names), "none");
  EXPECT_THAT(mistake(names + " or all"), HasSubstr("more than 128 names"));
  EXPECT_EQ(mistake(std::string(kMaxExpressionDepth - 1, '(') + "all" + std::string(kMaxExpressionDepth - 1, ')')), "none");
  EXPECT_THAT(mistake(std::string(kMaxExpressionDepth, '(') + "all"), HasSubstr("nested more than 32"));
  EXPECT_THAT(mistake(std::string(kMaxExpressionBytes + 1, ' ')), HasSubstr("longer than 4096"));
}

TEST(AudienceExpression, PagesGoOnWhereTheyStopped) {
  const Index index = make_index();
  const auto expression = Expression::parse("all and not segment:vip", shop());
  ASSERT_TRUE(expression);
  for (const size_t limit : {1u, 2u, 3u, 9u, 100u})
    for (const uint32_t chunks : {1u, 100u}) {
      std::vector<UserNumber> all;
      for (UserNumber from = 0; from != kNoUser;) {
        std::vector<UserNumber> one;
        from = page(index, *expression, from, limit, chunks, one);
        ASSERT_LE(one.size(), limit);
        all.insert(all.end(), one.begin(), one.end());
      }
      EXPECT_THAT(all, ElementsAre(0, 1, 2, 4, 5, 7, 8, 9, 70'000));
    }
}

TEST(AudienceExpression, OverlapsOfSlicesAddUp) {
  const Index index = make_index();
  std::vector<Expression> expressions;
  for (const char* text : {"stage:buyer", "segment:due", "tag:cat:*"}) expressions.push_back(*Expression::parse(text, shop()));
  std::vector<uint64_t> counts;
  add_overlaps(index, expressions, 0, 1, counts);
  add_overlaps(index, expressions, 1, UINT32_MAX, counts);
  EXPECT_THAT(counts, ElementsAre(5, 2, 2, 2, 5, 1, 2, 1, 4));
}

// Random expressions against evaluation user by user.
TEST(AudienceExpression, AgreesWithEvaluationUserByUser) {
  static constexpr std::array<const char*, 8> kNames = {"all",         "stage:buyer",      "stage:lapsed", "segment:vip",
                                                        "segment:due", "segment:due[i-1]", "tag:cat:女装", "tag:cat:*"};
  std::array<std::vector<UserNumber>, kNames.size()> sets;
  for (size_t i = 0; i < kNames.size(); ++i) sets[i] = users(kNames[i]);
  std::mt19937 random(3);
  using Holds = std::function<bool(UserNumber)>;
  // Full brackets, so that the text's meaning is the tree's.
  const std::function<std::pair<std::string, Holds>(int)> draw = [&](int depth) -> std::pair<std::string, Holds> {
    const auto kind = depth == 0 ? 3 : random() % 4;
    if (kind == 3) {
      const size_t i = random() % kNames.size();
      return {kNames[i], [&sets, i](UserNumber user) { return std::binary_search(sets[i].begin(), sets[i].end(), user); }};
    }
    const auto [a, f] = draw(depth - 1);
    if (kind == 0) return {"not (" + a + ")", [f = f](UserNumber user) { return !f(user); }};
    const auto [b, g] = draw(depth - 1);
    if (kind == 1) return {"(" + a + ") and (" + b + ")", [f = f, g = g](UserNumber user) { return f(user) && g(user); }};
    return {"(" + a + ") or (" + b + ")", [f = f, g = g](UserNumber user) { return f(user) || g(user); }};
  };
  for (int i = 0; i < 500; ++i) {
    const auto [text, holds] = draw(4);
    std::vector<UserNumber> want;
    for (const UserNumber user : sets[0])
      if (holds(user)) want.push_back(user);
    ASSERT_EQ(users(text), want) << text;
  }
}

}  // namespace
}  // namespace segue::audience
