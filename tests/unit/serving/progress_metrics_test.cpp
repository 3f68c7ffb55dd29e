// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/progress_metrics.h"

#include <gtest/gtest.h>

#include "tests/unit/serving/shard_fixture.h"

namespace segue::serving {
namespace {

class ProgressMetrics : public ShardFixture {};

TEST_F(ProgressMetrics, AddsUpTheShards) {
  ASSERT_TRUE(pipeline().finish());
  const std::vector<std::shared_ptr<const pipeline::Progress>> twice = {pipeline().progress(), pipeline().progress()};
  telemetry::MetricPage page;
  add_progress_metrics(page, twice, pipeline().definitions().get());
  const std::string text = page.text();
  for (const char* line : {"segue_events_consumed_total 100\n", "segue_events_applied_total{type=\"purchase\"} 100\n",
                           "segue_profiles{segment=\"buyer\"} 100\n", "segue_checkpoints_total 2\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST_F(ProgressMetrics, LeavesTheLifecycleOutWhereOtherDefinitionsAreInForce) {
  const auto other = segment::Definitions::parse(
      "version: 1\n"
      "lifecycle:\n"
      "  stages: [one, two]\n"
      "  moves:\n"
      "    - {from: one, to: two, on: purchase}\n",
      "other");
  ASSERT_TRUE(other) << segment::to_string(other.error());
  telemetry::MetricPage page;
  add_progress_metrics(page, std::vector{pipeline().progress()}, &*other);
  EXPECT_NE(page.text().find("segue_profiles{segment=\"one\"} 0\n"), std::string::npos) << page.text();
}

}  // namespace
}  // namespace segue::serving
