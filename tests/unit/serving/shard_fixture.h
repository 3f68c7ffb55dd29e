// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/pipeline/pipeline_fixture.h"

namespace segue::serving {

// A shard that has taken a few events.
class ShardFixture : public testing::Test {
 protected:
  static constexpr size_t kUsers = 50;

  void SetUp() override { make({}); }
  // Every user has bought once, user-0 … in this order.
  void make(pipeline::ShardPipeline::Options options) {
    pipeline_.reset();
    store_ = std::make_unique<pipeline::MemoryStore>();
    commits_ = std::make_unique<pipeline::MemoryCommits>();
    options.partition = "log";
    pipeline_ = std::make_unique<pipeline::ShardPipeline>(options, pipeline::Genesis{pipeline::reference_definitions(), {}, {}}, *store_);
    ASSERT_TRUE(pipeline_->recover());
    ASSERT_TRUE(pipeline_->own(*commits_));
    for (size_t i = 0; i < kUsers; ++i) log_.add(user(i), event::EventType::kPurchase, pipeline::kStart + std::chrono::minutes(i));
    take();
  }
  void take() {
    ASSERT_TRUE(pipeline_->take_all(log_.chunk(taken_, log_.size())));
    taken_ = log_.size();
  }
  static std::string user(size_t i) { return "user-" + std::to_string(i); }

  pipeline::TestLog& log() { return log_; }
  pipeline::ShardPipeline& pipeline() { return *pipeline_; }
  pipeline::MemoryStore& store() { return *store_; }

 private:
  pipeline::TestLog log_;
  size_t taken_ = 0;
  std::unique_ptr<pipeline::MemoryStore> store_;
  std::unique_ptr<pipeline::MemoryCommits> commits_;
  std::unique_ptr<pipeline::ShardPipeline> pipeline_;
};

}  // namespace segue::serving
