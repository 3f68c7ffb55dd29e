// SPDX-License-Identifier: Apache-2.0
// Several shards over one log, each as far ahead of the others as the draw has it, killed at any commit or checkpoint and started again with other
// batches, chunks, caches and limits: outputs, dead letters, pages and counts must come out as in one undisturbed run.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/unit/pipeline/pipeline_fixture.h"

namespace segue::pipeline {
namespace {

using event::EventType;

constexpr uint64_t kSeeds = 300;
constexpr int kCrashes = 4;  // at most, a seed

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t below(uint64_t n) { return engine_() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

TestLog draw_log(Random& random, size_t shards) {
  static constexpr EventType kTypes[] = {EventType::kView, EventType::kClick, EventType::kCart, EventType::kPurchase, EventType::kCartRemove};
  static constexpr Duration kSteps[] = {Duration{0}, std::chrono::seconds{1}, std::chrono::hours{1}, kDay, 9 * kDay};
  TestLog log(shards);
  const size_t records = 20 + random.below(150);
  const uint64_t users = 2 + random.below(40);
  Time now = kStart;
  for (size_t i = 0; i < records; ++i) {
    if (random.one_in(15)) {
      log.add_reject();
      continue;
    }
    if (i > 0 && random.one_in(10)) {
      log.repeat(random.below(i));
      continue;
    }
    now += static_cast<int64_t>(random.below(3)) * kSteps[random.below(std::size(kSteps))];
    const Duration late = random.one_in(6) ? static_cast<int64_t>(random.below(40)) * kDay : Duration{static_cast<int64_t>(random.below(30'000))};
    const uint64_t user = random.below(users);
    const EventType type = random.one_in(15) ? EventType::kDelete : kTypes[random.below(std::size(kTypes))];
    log.add("u" + std::to_string(user), type, now - late, user % shards);
  }
  return log;
}

ShardPipeline::Options draw_options(Random& random) {
  static constexpr size_t kBatches[] = {1, 2, 5, 64};
  ShardPipeline::Options options;
  options.batch_events = kBatches[random.below(std::size(kBatches))];
  options.commit_events = 1 + random.below(20);
  options.commit_bytes = random.one_in(3) ? 300 : 1 << 20;
  options.checkpoint_events = 1 + random.below(40);
  options.cache_profiles = 1 + random.below(10);
  options.dirty_profiles = 1 + random.below(20);
  return options;
}

// One life of all shards: whichever the draw says takes its next chunk.
Result<> live_all(const TestLog& log, std::vector<ShardFiles>& files, Random& random, std::vector<std::unique_ptr<ShardPipeline>>& pipelines) {
  pipelines.clear();
  const ShardPipeline::Options options = draw_options(random);
  size_t from = SIZE_MAX;
  for (size_t shard = 0; shard < files.size(); ++shard) {
    pipelines.push_back(make_pipeline(options, files[shard], shard));
    SEGUE_TRY(pipelines.back()->recover());
    from = std::min<size_t>(from, pipelines.back()->position().line);
  }
  std::vector<size_t> bounds = {from};
  while (bounds.back() < log.size()) bounds.push_back(std::min(log.size(), bounds.back() + 1 + random.below(30)));
  std::vector<size_t> next(files.size(), 0);
  for (size_t done = 0; done < files.size();) {
    const size_t shard = random.below(files.size());
    if (next[shard] == bounds.size()) continue;
    if (++next[shard] < bounds.size()) {
      SEGUE_TRY(pipelines[shard]->take(log.chunk(bounds[next[shard] - 1], bounds[next[shard]])));
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
    const auto lived = live(*undisturbed.back(), log, 0, {});
    ASSERT_TRUE(lived) << lived.error().message;
  }
  std::vector<ShardFiles> files(shards);
  std::vector<std::unique_ptr<ShardPipeline>> pipelines;
  for (int crash = 0;; ++crash) {
    for (ShardFiles& shard : files) {
      shard.store.crash();
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
