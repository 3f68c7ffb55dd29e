// SPDX-License-Identifier: Apache-2.0
#include "services/api/answers.h"

#include <gmock/gmock.h>

#include "lib/event/reject_reason.h"

namespace segue::api {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Answers, CountsAreReadByExpression) {
  CountAnswer answer;
  const std::string text = R"({"as_of":7,"users":12,"counts":[{"expression":"all","users":12},{"expression":"tag:a","users":3}],"more":{}})";
  ASSERT_TRUE(read_counts(text, 2, false, answer));
  EXPECT_EQ(answer.clock, time_from_ms(7));
  EXPECT_EQ(answer.users, 12u);
  EXPECT_THAT(answer.counts, ElementsAre(12, 3));
  EXPECT_FALSE(read_counts(text, 3, false, answer)) << "of another request";
  EXPECT_FALSE(read_counts(text, 2, true, answer)) << "without overlaps";
}

TEST(Answers, CountsWithOverlapsAreASquare) {
  CountAnswer answer;
  ASSERT_TRUE(read_counts(R"({"users":12,"counts":[],"overlaps":[[12,3],[3,4]]})", 2, true, answer));
  EXPECT_EQ(answer.clock, kNoTime) << "a shard without events has none";
  EXPECT_THAT(answer.counts, ElementsAre(12, 3, 3, 4));
  EXPECT_FALSE(read_counts(R"({"users":12,"overlaps":[[12,3],[3]]})", 2, true, answer));
  EXPECT_FALSE(read_counts(R"({"users":12,"overlaps":[[12,3],[3,-4]]})", 2, true, answer));
  EXPECT_FALSE(read_counts(R"({"users":12,"overlaps":[[12,3],7]})", 2, true, answer));
}

TEST(Answers, APageHasNoMoreThanWasAskedFor) {
  PageAnswer answer;
  ASSERT_TRUE(read_page(R"({"as_of":7,"user_ids":["a","女"],"cursor":"1.2.3"})", 2, answer));
  EXPECT_THAT(answer.user_ids, ElementsAre("a", "女"));
  EXPECT_EQ(answer.cursor, "1.2.3");
  PageAnswer more;
  EXPECT_FALSE(read_page(R"({"user_ids":["a","b"]})", 1, more));
  PageAnswer wrong;
  EXPECT_FALSE(read_page(R"({"user_ids":["a",2]})", 2, wrong));
  EXPECT_FALSE(read_page(R"({"user_ids":[],"cursor":5})", 2, wrong));
}

TEST(Answers, SetsAreAddedUnderTheirNames) {
  SetsAnswer answer;
  const std::string text = R"({"as_of":7,"users":5,"truncated":true,"sets":[{"kind":"stage","name":"new","expression":"stage:new","users":4},)"
                           R"({"kind":"segment","name":"due","key":"女装","users":1}]})";
  ASSERT_TRUE(read_sets(text, answer));
  EXPECT_TRUE(answer.truncated);
  EXPECT_THAT(answer.counts, ElementsAre(Pair(SetId{0, "new", ""}, 4), Pair(SetId{1, "due", "女装"}, 1)));
  EXPECT_FALSE(read_sets(R"({"users":5,"truncated":false,"sets":[{"kind":"shop","name":"new","users":4}]})", answer));
  EXPECT_FALSE(read_sets(R"({"users":5,"truncated":false,"sets":[{"kind":"tag","name":"new","users":"4"}]})", answer));
}

TEST(Answers, ALifecycleKeepsItsOrder) {
  LifecycleAnswer answer;
  ASSERT_TRUE(read_lifecycle(R"({"users":5,"definitions":"ab","time_zone":"UTC","stages":[{"name":"z","users":4},{"name":"a","users":1}],)"
                             R"("moves":[{"name":"m","from":"z","to":"a","total":9}]})",
                             answer));
  ASSERT_EQ(answer.stages.size(), 2u);
  EXPECT_EQ(answer.stages[0].name, "z");
  EXPECT_EQ(answer.moves.at(0).total, 9u);
  EXPECT_FALSE(read_lifecycle(R"({"users":5,"definitions":"ab","time_zone":"UTC","stages":[{"name":"z"}],"moves":[]})", answer));
}

TEST(Answers, ReasonsOfALaterVersionAreNotCounted) {
  std::vector<uint64_t> totals;
  const std::string text = R"({"total":5,"reasons":[{"reason":"invalid_json","total":3},{"reason":"to_come","total":2}],"newest":[]})";
  ASSERT_TRUE(read_reject_totals(text, totals));
  EXPECT_EQ(totals[static_cast<size_t>(event::RejectReason::kInvalidJson)], 3u);
  EXPECT_EQ(std::count(totals.begin(), totals.end(), 0u), static_cast<ptrdiff_t>(event::kRejectReasons) - 1);
  EXPECT_FALSE(read_reject_totals(R"({"reasons":[{"reason":"invalid_json","total":-3}]})", totals));
}

TEST(Answers, AStatusHasItsPartitionsAsTheyAre) {
  StatusAnswer answer;
  ASSERT_TRUE(read_status(R"({"mode":"engine","partitions":[{"partition":3,"sweep_left":7,"lag":0},{"partition":5,"sweep_left":1}]})", answer));
  EXPECT_THAT(answer.partitions, ElementsAre(Pair(3, R"({"lag":0,"partition":3,"sweep_left":7})"), Pair(5, R"({"partition":5,"sweep_left":1})")));
  EXPECT_EQ(answer.sweep_left, 8u);
  EXPECT_FALSE(read_status(R"({"partitions":[{"partition":3}]})", answer));
  EXPECT_FALSE(read_status(R"({"partitions":[{"partition":3000000000,"sweep_left":0}]})", answer));
}

TEST(Answers, LinesAreOneForEachUser) {
  std::vector<std::string> profiles;
  ASSERT_TRUE(read_lines("{\"a\":1}\n\n{}\n", 3, profiles));
  EXPECT_THAT(profiles, ElementsAre("{\"a\":1}", "", "{}"));
  EXPECT_FALSE(read_lines("{}\n", 2, profiles));
  EXPECT_FALSE(read_lines("{}\n{}\n{}\n", 2, profiles));
  EXPECT_FALSE(read_lines("{}\n{}", 2, profiles)) << "cut off";
  EXPECT_FALSE(read_lines("{}\nx\n", 2, profiles));
  EXPECT_FALSE(read_lines("{}\n{\xff}\n", 2, profiles));
}

TEST(Answers, WhatIsNoAnswerIsNone) {
  for (const char* text : {"", "null", "[]", "{}", "{\"users\":1", "\xff", "{\"as_of\":\"x\",\"users\":1,\"counts\":[]}"}) {
    CountAnswer counts;
    PageAnswer page;
    SetsAnswer sets;
    LifecycleAnswer lifecycle;
    StatusAnswer status;
    std::vector<uint64_t> totals;
    EXPECT_FALSE(read_counts(text, 0, false, counts)) << text;
    EXPECT_FALSE(read_page(text, 9, page)) << text;
    EXPECT_FALSE(read_sets(text, sets)) << text;
    EXPECT_FALSE(read_lifecycle(text, lifecycle)) << text;
    EXPECT_FALSE(read_status(text, status)) << text;
    EXPECT_FALSE(read_reject_totals(text, totals)) << text;
  }
}

TEST(Answers, AVectorHasAllItsNumbers) {
  Time clock = kNoTime;
  std::vector<float> vector;
  ASSERT_TRUE(read_vector(R"({"user_id":"a","as_of":7,"vector":[0.5,-2]})", 2, clock, vector));
  EXPECT_EQ(clock, time_from_ms(7));
  EXPECT_THAT(vector, ElementsAre(0.5f, -2.0f));
  EXPECT_FALSE(read_vector(R"({"vector":[0.5]})", 2, clock, vector));
  EXPECT_FALSE(read_vector(R"({"vector":[0.5,null]})", 2, clock, vector));
}

TEST(Answers, SimilarUsersAreNoMoreThanWereAskedFor) {
  const std::string text = R"({"as_of":7,"users":[{"user_id":"女","similarity":0.5},{"user_id":"b","similarity":-1}]})";
  Time clock = kNoTime;
  std::vector<std::pair<double, std::string>> users;
  ASSERT_TRUE(read_similar(text, 2, clock, users));
  EXPECT_EQ(clock, time_from_ms(7));
  EXPECT_THAT(users, ElementsAre(Pair(0.5, "女"), Pair(-1.0, "b")));
  users.clear();
  EXPECT_FALSE(read_similar(text, 1, clock, users));
  EXPECT_FALSE(read_similar(R"({"users":[{"user_id":"a"}]})", 2, clock, users));
}

}  // namespace
}  // namespace segue::api
