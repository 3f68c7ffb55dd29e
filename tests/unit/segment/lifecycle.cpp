// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "lib/segment/step.h"
#include "tests/unit/segment/scenario.h"

namespace segue::segment {
namespace {

using event::EventType;

// The reference job's lifecycle alone: its tags would only be noise here.
std::string reference_lifecycle() {
  const std::string whole(default_definitions());
  return whole.substr(0, whole.find("\ntags:"));
}

class Lifecycle : public ::testing::Test {
 protected:
  Scenario user{reference_lifecycle()};
  double start = 1000 * kDay;
};

TEST_F(Lifecycle, ThreeClicksWithinSevenDaysMakeANewUserPotential) {
  EXPECT_EQ(user.send(EventType::kClick, start), Told{});
  EXPECT_EQ(user.send(EventType::kClick, start + 3 * kDay), Told{});
  EXPECT_EQ(user.send(EventType::kClick, start + 6.9 * kDay), Told{"new-to-potential @" + std::to_string(int64_t(start + 6.9 * kDay)) + " event"});
}

TEST_F(Lifecycle, AClickExactlySevenDaysOldDoesNotCount) {
  user.send(EventType::kClick, start);
  user.send(EventType::kClick, start + kDay);
  EXPECT_EQ(user.send(EventType::kClick, start + 7 * kDay), Told{});
  EXPECT_EQ(user.send(EventType::kClick, start + 8 * kDay - 1),
            Told{"new-to-potential @" + std::to_string(int64_t(start + 8 * kDay - 1)) + " event"});
}

TEST_F(Lifecycle, OneCartMakesANewUserPotential) {
  EXPECT_EQ(user.send(EventType::kCart, 86400), Told{"new-to-potential @86400 event"});
  EXPECT_EQ(user.stage(), "potential");
  EXPECT_EQ(user.profile.stage_since, Scenario::at(86400));
}

TEST_F(Lifecycle, APotentialFallsBackSevenDaysAfterTheLastEventOfAnyType) {
  user.send(EventType::kCart, 0);
  EXPECT_EQ(user.send(EventType::kFavorite, 86400), Told{});
  EXPECT_EQ(user.wait_until(8 * kDay - 0.001), Told{});
  EXPECT_EQ(user.wait_until(8 * kDay), Told{"potential-to-new @691200 timer"});
}

TEST_F(Lifecycle, AfterAFallTheClickMemoryStaysAndOnlyItsAgeCounts) {
  user.send(EventType::kClick, 0);
  user.send(EventType::kClick, 1);
  user.send(EventType::kClick, 2);
  EXPECT_EQ(user.wait_until(8 * kDay), Told{"potential-to-new @604802 timer"});
  EXPECT_EQ(user.send(EventType::kClick, 8 * kDay), Told{});
}

TEST_F(Lifecycle, OrdersMakeBuyerThenReturning) {
  EXPECT_EQ(user.send(EventType::kPurchase, 100), Told{"new-to-buyer @100 event"});
  EXPECT_EQ(user.send(EventType::kPurchase, 200), Told{"buyer-to-returning @200 event"});
  EXPECT_EQ(user.send(EventType::kPurchase, 300), Told{});
  EXPECT_EQ(user.profile.past_moves.size(), 2u);
  EXPECT_EQ(user.profile.past_moves[1].compared_count, 1);
  EXPECT_EQ(user.profile.past_moves[1].compared[0], 2);
  EXPECT_EQ(user.profile.past_moves[1].event_id, "e");
}

TEST_F(Lifecycle, LinesOfOneOrderAreOneOrder) {
  EXPECT_EQ(user.send({.type = EventType::kPurchase, .ts = Scenario::at(100), .order_id = "o-1"}), Told{"new-to-buyer @100 event"});
  EXPECT_EQ(user.send({.type = EventType::kPurchase, .ts = Scenario::at(101), .order_id = "o-1"}), Told{});
  EXPECT_EQ(user.send({.type = EventType::kPurchase, .ts = Scenario::at(102), .order_id = "o-2"}), Told{"buyer-to-returning @102 event"});
}

TEST_F(Lifecycle, ABuyerLapsesThirtyDaysAfterTheLastPurchaseToTheMillisecond) {
  user.send(EventType::kPurchase, 0.5);
  user.send(EventType::kView, 20 * kDay);
  EXPECT_EQ(user.wait_until(30 * kDay + 0.499), Told{});
  EXPECT_EQ(user.wait_until(30 * kDay + 0.5), Told{"buyer-to-lapsed @2592000.500 timer"});
  EXPECT_EQ(user.profile.past_moves.back().compared[0], 30 * kDay * 1000);
  EXPECT_EQ(user.send(EventType::kPurchase, 31 * kDay), Told{"lapsed-to-returning @2678400 event"});
}

TEST_F(Lifecycle, APurchaseTooLateLapsesInTheSameStep) {
  user.wait_until(100 * kDay);
  EXPECT_EQ(user.send(EventType::kPurchase, 60 * kDay), (Told{"new-to-buyer @5184000 event", "buyer-to-lapsed @7776000 timer"}));
  EXPECT_EQ(user.profile.deadline, kNever);
}

TEST_F(Lifecycle, ALateCartFallsBackInTheSameStep) {
  user.wait_until(100 * kDay);
  EXPECT_EQ(user.send(EventType::kCart, 60 * kDay), (Told{"new-to-potential @5184000 event", "potential-to-new @5788800 timer"}));
}

TEST_F(Lifecycle, ALatePurchaseThatDoesNotMoveTheLastOnePostponesNothing) {
  user.send(EventType::kPurchase, 50 * kDay);
  EXPECT_EQ(user.send(EventType::kPurchase, 10 * kDay), Told{"buyer-to-returning @864000 event"});
  EXPECT_EQ(user.wait_until(80 * kDay), Told{"returning-to-lapsed @6912000 timer"});
}

TEST_F(Lifecycle, OneEventMakesOneEventMoveAtMost) {
  Scenario both(R"(
version: 1
lifecycle:
  stages: [a, b, c]
  moves:
    - {from: a, to: b, on: purchase}
    - {from: b, to: c, on: purchase}
)");
  EXPECT_EQ(both.send(EventType::kPurchase, 1), Told{"a-to-b @1 event"});
}

TEST_F(Lifecycle, OfSeveralMovesTheFirstInTheFileIsTaken) {
  Scenario both(R"(
version: 1
lifecycle:
  stages: [a, b, c]
  moves:
    - {name: gross, from: a, to: b, on: purchase, when: event.total >= 100}
    - {name: klein, from: a, to: c, on: purchase}
)");
  EXPECT_EQ(both.send(EventType::kPurchase, 1, {.price = Money{5'000'000}}), Told{"klein @1 event"});
}

TEST_F(Lifecycle, ATimeMoveThatAnEventMakesTrueHappensAtTheEvent) {
  Scenario vip(R"(
version: 1
lifecycle:
  stages: [guest, vip]
  moves:
    - {from: guest, to: vip, when: spend >= 100}
    - {from: vip, to: guest, when: since(last_purchase) >= 10d}
)");
  EXPECT_EQ(vip.send(EventType::kPurchase, 5, {.price = Money{100'000'000}}), Told{"guest-to-vip @5 event"});
  // spend stays, so that after the fall the way up is open again at once, and the fall as well: nine moves, then a day of rest.
  const Told told = vip.wait_until(10 * kDay + 5);
  EXPECT_EQ(told.size(), kMovesBeforeRest);
}

TEST_F(Lifecycle, MovesThatChaseEachOtherRestForADay) {
  Scenario circle(R"(
version: 1
settings: {lateness: 0s}
lifecycle:
  stages: [a, b]
  moves:
    - {from: a, to: b, when: orders >= 1}
    - {from: b, to: a, when: orders >= 1}
)");
  EXPECT_EQ(circle.send(EventType::kPurchase, 0).size(), kMovesBeforeRest + 1);  // the first by the event
  EXPECT_EQ(circle.profile.deadline, Scenario::at(kDay));
  EXPECT_EQ(circle.wait_until(kDay - 1), Told{});
  EXPECT_EQ(circle.wait_until(kDay).size(), kMovesBeforeRest);
}

TEST_F(Lifecycle, ALateEventMakesATimeMoveAtItsTrueMoment) {
  Scenario quiet(R"(
version: 1
lifecycle:
  stages: [active, quiet]
  moves:
    - {from: active, to: quiet, when: since(last(review)) >= 5d}
)");
  quiet.wait_until(20 * kDay);
  EXPECT_EQ(quiet.send(EventType::kReview, kDay), Told{"active-to-quiet @518400 timer"});
}

TEST_F(Lifecycle, WithoutALifecycleEverybodyIsInTheOnlyStage) {
  Scenario none("version: 1");
  EXPECT_EQ(none.send(EventType::kPurchase, 0), Told{});
  EXPECT_EQ(none.stage(), "all");
}

TEST_F(Lifecycle, FromAnyMeansEveryOtherStage) {
  Scenario any(R"(
version: 1
lifecycle:
  stages: [a, b, c]
  moves:
    - {from: any, to: c, on: refund}
)");
  EXPECT_EQ(any.definitions.moves().size(), 2u);
  EXPECT_EQ(any.send(EventType::kRefund, 1), Told{"a-to-c @1 event"});
  EXPECT_EQ(any.send(EventType::kRefund, 2), Told{});
}

}  // namespace
}  // namespace segue::segment
