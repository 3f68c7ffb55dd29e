// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/pipeline/shard_pipeline.h"

namespace segue::serving {

// One shard at one moment, for a Read: on the shard's thread, between two batches. It sees every step that was taken, those whose commit is in
// flight included: they are in the log. Valid during the read's call only.
class ShardReader {
 public:
  using Found = std::function<void(size_t index, shard::UserNumber user, const profile::Profile* profile)>;

  // Pipeline and store are those of the shard, and outlive it. Requires pipeline.started().
  ShardReader(int32_t partition, const pipeline::ShardPipeline& pipeline, pipeline::Store& store)
      : partition_(partition), pipeline_(pipeline), store_(store) {}
  ShardReader(const ShardReader&) = delete;
  ShardReader& operator=(const ShardReader&) = delete;

  int32_t partition() const { return partition_; }
  // Users, clock, population, totals.
  const shard::Shard& shard() const { return pipeline_.shard(); }
  const segment::Definitions& definitions() const { return *pipeline_.definitions(); }
  // The same, to keep beyond the read.
  const std::shared_ptr<const segment::Definitions>& shared_definitions() const { return pipeline_.definitions(); }
  // Who is in which stage, segment and tag; by user number.
  const audience::Index& audiences() const { return shard().audiences(); }
  // Not null where an API reads (pipeline::ShardPipeline::Options::vectors).
  const audience::Vectors* vectors() const { return shard().vectors(); }
  // Position, last commit, dead letters by reason, sweep.
  const pipeline::ShardPipeline& pipeline() const { return pipeline_; }

  // The user's profile, from memory or from the store; null: unknown or erased. Valid until the next find. holds_until is empty in one that came from
  // the store. kData when its page is damaged, kRetry when it cannot be read now.
  Result<const profile::Profile*> find(std::string_view user_id);
  Result<const profile::Profile*> find(shard::UserNumber user);
  // The same for many with one look into the store: `found` is called once for each index, those in memory first; the profile is valid during the
  // call. Null: unknown or erased (user is kNoUser). A hundred from the store take about a millisecond.
  Result<> find_many(std::span<const std::string_view> user_ids, const Found& found);
  Result<> find_many(std::span<const shard::UserNumber> users, const Found& found);

 private:
  const int32_t partition_;
  const pipeline::ShardPipeline& pipeline_;
  pipeline::Store& store_;
  profile::Profile decoded_;
  std::vector<shard::UserNumber> users_;  // these are kept for their memory
  std::vector<size_t> missing_;
  std::vector<std::string> keys_;
  std::vector<std::string_view> key_views_;
};

}  // namespace segue::serving
