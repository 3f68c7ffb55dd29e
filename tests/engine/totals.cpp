// SPDX-License-Identifier: Apache-2.0
#include "services/engine/totals.h"

#include <gtest/gtest.h>

namespace segue::engine {
namespace {

std::shared_ptr<pipeline::Progress> make_progress(uint64_t records, uint64_t first_move) {
  auto parsed = segment::Definitions::parse(segment::default_definitions(), "default");
  auto progress = std::make_shared<pipeline::Progress>(std::make_shared<const segment::Definitions>(std::move(*parsed)));
  progress->records = records;
  progress->moves[0] = first_move;
  return progress;
}

TEST(Totals, ACounterNeverFallsWhenAShardGoes) {
  Totals totals;
  const auto view = std::make_shared<PartitionView>(0);
  view->set_progress(make_progress(10, 2));
  EXPECT_EQ(totals.collect({view}).records, 10u);
  view->set_progress(nullptr);
  EXPECT_EQ(totals.collect({view}).records, 10u);
  EXPECT_EQ(totals.collect({view}).records, 10u);
  view->set_progress(make_progress(5, 1));
  const Counted counted = totals.collect({view});
  EXPECT_EQ(counted.records, 15u);
  uint64_t moves = 0;
  for (const auto& [move, count] : counted.moves) moves += count;
  EXPECT_EQ(moves, 3u);
}

TEST(Totals, AShardThatLivedBetweenTwoScrapesCounts) {
  Totals totals;
  const auto view = std::make_shared<PartitionView>(0);
  view->set_progress(make_progress(1, 0));
  view->set_progress(make_progress(2, 0));
  view->set_progress(make_progress(4, 0));
  EXPECT_EQ(totals.collect({view}).records, 7u);
}

TEST(Totals, CommitsOfEndedLivesAreKept) {
  Totals totals;
  const auto view = std::make_shared<PartitionView>(0);
  view->update([](PartitionStatus& status) {
    status.commits.aborted = 3;
    status.commits.duration_buckets[2] = 7;
  });
  EXPECT_EQ(totals.collect({view}).aborted, 3u);
  view->end_commits();
  view->update([](PartitionStatus& status) { status.commits.aborted = 1; });
  const Counted counted = totals.collect({view});
  EXPECT_EQ(counted.aborted, 4u);
  EXPECT_EQ(counted.commit_buckets[2], 7u);
}

}  // namespace
}  // namespace segue::engine
