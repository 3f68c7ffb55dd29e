// SPDX-License-Identifier: Apache-2.0
// Several shards over one log, each as far ahead of the others as the draw has it, killed at any commit or checkpoint and started again with other
// batches, chunks, caches and limits: outputs, dead letters, pages and counts must come out as in one undisturbed run.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/unit/pipeline/random_log.h"

namespace segue::pipeline {
namespace {

constexpr uint64_t kSeeds = 300;
constexpr int kCrashes = 4;  // at most, a seed

// One life of all shards: whichever the draw says takes its next chunk.
Result<> live_all(const TestLog& log, std::vector<ShardFiles>& files, Random& random, std::vector<std::unique_ptr<ShardPipeline>>& pipelines) {
  pipelines.clear();
  const ShardPipeline::Options options = draw_options(random);
  size_t from = SIZE_MAX;
  for (size_t shard = 0; shard < files.size(); ++shard) {
    pipelines.push_back(make_pipeline(options, files[shard], shard));
    SEGUE_TRY(pipelines.back()->recover());
    SEGUE_TRY(pipelines.back()->own(files[shard].commits));
    from = std::min<size_t>(from, pipelines.back()->position().line);
  }
  std::vector<size_t> bounds = {from};
  while (bounds.back() < log.size()) bounds.push_back(std::min(log.size(), bounds.back() + 1 + random.below(30)));
  std::vector<size_t> next(files.size(), 0);
  for (size_t done = 0; done < files.size();) {
    const size_t shard = random.below(files.size());
    if (next[shard] == bounds.size()) continue;
    if (++next[shard] < bounds.size()) {
      SEGUE_TRY(pipelines[shard]->take_all(log.chunk(bounds[next[shard] - 1], bounds[next[shard]])));
      continue;
    }
    SEGUE_TRY(pipelines[shard]->finish());
    ++done;
  }
  return {};
}

std::map<std::string, std::string> pages(const ShardFiles& files) {
  auto values = files.store.values;
  values.erase(std::string(codec::kMetaKey));  // how many commits there were is not part of the result
  return values;
}

void run_seed(uint64_t seed) {
  Random random(seed);
  const size_t shards = 1 + random.below(3);
  const TestLog log = draw_log(random, shards);
  std::vector<ShardFiles> calm(shards);
  std::vector<std::unique_ptr<ShardPipeline>> undisturbed;
  for (size_t shard = 0; shard < shards; ++shard) {
    undisturbed.push_back(make_pipeline({}, calm[shard], shard));
    const auto lived = live(*undisturbed.back(), calm[shard], log, 0, {});
    ASSERT_TRUE(lived) << lived.error().message;
  }
  std::vector<ShardFiles> files(shards);
  std::vector<std::unique_ptr<ShardPipeline>> pipelines;
  for (int crash = 0;; ++crash) {
    for (ShardFiles& shard : files) {
      shard.store.crash();
      shard.commits.crash(random.one_in(2));
      shard.commits.delay = random.below(4);
      shard.store.delay = random.below(4);
      shard.store.fail_install = crash < kCrashes && random.one_in(6);
      shard.commits.fail_from = crash < kCrashes ? shard.commits.records.size() + 1 + random.below(12) : UINT64_MAX;
    }
    const auto lived = live_all(log, files, random, pipelines);
    if (lived) break;
    ASSERT_EQ(lived.error().kind, ErrorClass::kRetry) << lived.error().message;
    ASSERT_LT(crash, kCrashes) << lived.error().message;
  }
  for (size_t shard = 0; shard < shards; ++shard) {
    EXPECT_EQ(files[shard].commits.transitions, calm[shard].commits.transitions);
    EXPECT_EQ(files[shard].commits.dead_letters, calm[shard].commits.dead_letters);
    EXPECT_EQ(pages(files[shard]), pages(calm[shard]));
    EXPECT_EQ(pipelines[shard]->shard().totals(), undisturbed[shard]->shard().totals());
    EXPECT_EQ(pipelines[shard]->shard().high(), undisturbed[shard]->shard().high());
    EXPECT_EQ(pipelines[shard]->rejects(), undisturbed[shard]->rejects());
  }
}

TEST(RandomRestarts, GiveWhatAnUndisturbedRunGives) {
  const char* from = std::getenv("SEGUE_SEED");
  const uint64_t first = from == nullptr ? 1 : std::strtoull(from, nullptr, 10);
  for (uint64_t seed = first; seed < first + (from == nullptr ? kSeeds : 1); ++seed) {
    SCOPED_TRACE("SEGUE_SEED=" + std::to_string(seed));
    run_seed(seed);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace segue::pipeline
