// SPDX-License-Identifier: Apache-2.0
#include "services/segue/comparison.h"

#include <gmock/gmock.h>

#include <numeric>

#include "services/segue/replay_session.h"
#include "tests/tools/program_fixture.h"

namespace segue::program {
namespace {

class ComparisonTest : public ProgramTest {
 protected:
  // The old definitions are the default; `find` becomes `replacement` in the new ones.
  Result<Comparison> compare(std::string_view find, std::string_view replacement, size_t shards = 1) {
    std::string yaml(segment::default_definitions());
    if (!find.empty()) {
      EXPECT_NE(yaml.find(find), std::string::npos);
      for (size_t at = 0; (at = yaml.find(find, at)) != std::string::npos; at += replacement.size()) yaml.replace(at, find.size(), replacement);
    }
    const std::string log = make_log(30'000, 600);
    std::vector<replay::ReplayOptions> options = {replay_options(log, "old", shards), replay_options(log, "new", shards)};
    options[kNew].definitions = parse(yaml);
    ReplaySession session(options);
    auto summaries = session.run();
    EXPECT_TRUE(summaries) << summaries.error().message;
    summaries_ = *summaries;
    return Comparison::make({path("old"), path("new")}, {&summaries_[kOld], &summaries_[kNew]});
  }
  std::vector<replay::ReplaySummary> summaries_;
};

TEST_F(ComparisonTest, EqualDefinitionsDifferInNothing) {
  const auto comparison = compare("", "");
  ASSERT_TRUE(comparison) << comparison.error().message;
  EXPECT_EQ(comparison->users_with_other_moves, 0u);
  EXPECT_TRUE(comparison->examples.empty());
  EXPECT_EQ(comparison->users, summaries_[kOld].users);
  for (size_t i = 0; i < comparison->users_by_stage.size(); ++i)
    for (size_t k = 0; k < comparison->users_by_stage[i].size(); ++k)
      EXPECT_EQ(comparison->users_by_stage[i][k], i == k ? summaries_[kOld].population[i] : 0);
  for (const auto& [name, count] : comparison->moves) EXPECT_EQ(count.happened[kOld], count.happened[kNew]) << name;
}

TEST_F(ComparisonTest, AnEarlierLapseShowsInMovesStagesAndExamples) {
  const auto comparison = compare("since(last_purchase) >= 30d", "since(last_purchase) >= 10d", 2);
  ASSERT_TRUE(comparison) << comparison.error().message;
  EXPECT_GT(comparison->users_with_other_moves, 0u);
  EXPECT_LT(comparison->users_with_other_moves, comparison->users);
  const auto& lapses = comparison->moves.at("buyer-to-lapsed");
  EXPECT_GT(lapses.happened[kNew], lapses.happened[kOld]);
  EXPECT_GT(comparison->users_by_stage[2][4], 0u) << "buyer of old who is lapsed of new";
  EXPECT_EQ(comparison->users_by_stage[4][2], 0u);
  for (const Side side : {kOld, kNew}) {
    std::vector<uint64_t> population(5);
    for (size_t i = 0; i < 5; ++i)
      for (size_t k = 0; k < 5; ++k) population[side == kOld ? i : k] += comparison->users_by_stage[i][k];
    EXPECT_EQ(population, summaries_[side].population);
  }
  ASSERT_EQ(comparison->examples.size(), Comparison::kExamples);
  EXPECT_TRUE(
      std::is_sorted(comparison->examples.begin(), comparison->examples.end(), [](const auto& a, const auto& b) { return a.user_id < b.user_id; }));
  for (const auto& example : comparison->examples) EXPECT_NE(example.moves[kOld], example.moves[kNew]) << example.user_id;
}

}  // namespace
}  // namespace segue::program
