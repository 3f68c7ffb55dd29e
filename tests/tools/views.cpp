// SPDX-License-Identifier: Apache-2.0
// profile_view and explanation_view, on the profile that a small log makes.
#include <gmock/gmock.h>

#include "services/segue/state_reader.h"
#include "services/tools/explanation_view.h"
#include "services/tools/profile_view.h"
#include "tests/tools/program_fixture.h"

namespace segue::program {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int64_t kStart = 1'700'000'000'000;  // 2023-11-14 22:13:20 UTC
constexpr int64_t kDay = 86'400'000;

class Views : public ProgramTest {
 protected:
  void event(int64_t at, const char* type, const std::string& fields) {
    log_ += R"({"event_id":"e-)" + std::to_string(++events_) + R"(","user_id":"用户-1","ts":)" + std::to_string(kStart + at) + R"(,"type":")" + type +
            "\"" + fields + "}\n";
  }
  void replay_log() {
    write(path("log"), log_);
    auto options = replay_options(path("log"), "out");
    definitions_ = options.definitions;
    run(options);
    auto reader = StateReader::open(path("out"));
    ASSERT_TRUE(reader);
    auto found = (*reader)->find(0, "用户-1");
    ASSERT_TRUE(found && *found);
    profile_ = std::move(**found);
    now_ = *(*reader)->clock(0);
  }
  tools::ProfileView view() const { return {"用户-1", profile_, *definitions_, now_}; }
  std::string explanation(tools::Terminal terminal = {}) const {
    return explanation_text(view(), tools::remembered_moves(view()), tools::LocalClock("UTC"), terminal);
  }

  std::string log_;
  int events_ = 0;
  std::shared_ptr<const segment::Definitions> definitions_;
  profile::Profile profile_;
  Time now_ = kNoTime;
};

TEST_F(Views, ExplanationTellsEveryMoveWithItsCauseAndValues) {
  event(0, "cart", R"(,"item_id":"i-1","category":"女装","price":10)");
  event(8 * kDay, "view", R"(,"item_id":"i-2")");
  event(9 * kDay, "purchase", R"(,"item_id":"i-1","category":"女装","price":10,"quantity":2)");
  event(10 * kDay, "purchase", R"(,"item_id":"i-1","category":"女装","price":10)");
  replay_log();
  const std::string text = explanation();
  EXPECT_THAT(text, HasSubstr("用户-1 is returning, since 2023-11-24 22:13:20"));
  EXPECT_THAT(text, HasSubstr("2023-11-14 22:13:20  new → potential"));
  EXPECT_THAT(text, HasSubstr("event e-1  orders = 0, count(click, 7d before event) = 0, count(cart, 7d before event) = 1\n"));
  EXPECT_THAT(text, HasSubstr("2023-11-21 22:13:20  potential → new    potential-to-new    deadline   since(last_seen) = 7 d\n"));
  EXPECT_THAT(text, HasSubstr("new → buyer        new-to-buyer        event e-3"));
  EXPECT_THAT(text, HasSubstr("buyer → returning  buyer-to-returning  event e-4  orders = 2\n"));
  EXPECT_THAT(text, HasSubstr("2023-12-24 22:13:20  in 30 d  returning → lapsed  because since(last_purchase) >= 30d\n"));
}

TEST_F(Views, ExplanationFitsANarrowTerminal) {
  event(0, "cart", R"(,"item_id":"i-1","category":"女装","price":10)");
  replay_log();
  const std::string text = explanation({.is_tty = true, .width = 80});
  EXPECT_THAT(text, HasSubstr("event e-1\n                       orders = 0, count(click, 7d before event) = 0\n                       count(cart, "
                              "7d before event) = 1\n"));
}

TEST_F(Views, ExplanationSaysThatEarlierMovesAreElsewhere) {
  for (int i = 0; i < 6; ++i) event(i * 8 * kDay, "cart", R"(,"item_id":"i-1","price":10)");
  replay_log();
  EXPECT_EQ(profile_.past_moves.size(), profile::kMaxPastMoves);
  EXPECT_THAT(explanation(), HasSubstr("what came before: --full"));
}

TEST_F(Views, ExplanationAsJsonHasPastAndNext) {
  event(0, "purchase", R"(,"item_id":"i-1","price":10)");
  replay_log();
  const std::string json = explanation_json(view(), tools::remembered_moves(view()), tools::LocalClock("UTC"));
  EXPECT_THAT(
      json, HasSubstr(R"({"user_id":"用户-1","stage":"buyer","stage_since":1700000000000,"as_of":1699999970000,"time_zone":"UTC","past":[{"n":1,)"));
  EXPECT_THAT(
      json,
      HasSubstr(R"("name":"buyer-to-lapsed","from":"buyer","to":"lapsed","on":[],"when":"since(last_purchase) >= 30d","changes_at":1702592000000)"));
}

TEST_F(Views, ProfileShowsWhatIsKnown) {
  event(0, "identify", R"(,"traits":{"region":"杭州\u001b[31m","age":31,"consent":true})");
  event(1000, "click", R"(,"item_id":"i-1","category":"女装","brand":"b","price":10)");
  event(2000, "cart", R"(,"item_id":"i-9","category":"鞋","price":10)");
  event(3000, "purchase", R"(,"item_id":"i-1","category":"女装","brand":"b","price":1234.5,"quantity":5)");
  event(2 * kDay, "view", "");
  replay_log();
  const std::string text = profile_text(view(), tools::LocalClock("Asia/Shanghai"), {});
  EXPECT_THAT(text, HasSubstr("as of 2023-11-17 06:12:50 Asia/Shanghai"));
  EXPECT_THAT(text, HasSubstr("buyer, since 2023-11-15 06:13:23"));
  EXPECT_THAT(text, HasSubstr("spend          6,172.5"));
  EXPECT_THAT(text, HasSubstr("女装"));
  EXPECT_THAT(text, HasSubstr("1 click, 1 purchase"));
  EXPECT_THAT(text, HasSubstr("i-9  since 2023-11-15 06:13:22"));
  EXPECT_THAT(text, HasSubstr("杭州\\x1b[31m")) << "no escape sequence of a stranger reaches the terminal";
  EXPECT_THAT(text, HasSubstr("cat:女装, cat:鞋, high-value, cart-abandoner"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(Views, ProfileLineIsOneObjectWithTags) {
  event(0, "click", R"(,"item_id":"i-1","category":"女装","price":10)");
  replay_log();
  std::string line;
  tools::append_profile_line("用户-1", profile_, *definitions_, line);
  EXPECT_THAT(line, testing::StartsWith(R"({"user_id":"用户-1",)"));
  EXPECT_THAT(line, testing::EndsWith(R"(,"tags":["cat:女装"]})"));
  EXPECT_THAT(line, Not(HasSubstr("\n")));
}

}  // namespace
}  // namespace segue::program
