// SPDX-License-Identifier: Apache-2.0
#include "services/engine/endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::engine {
namespace {

using testing::HasSubstr;
using testing::Not;

EngineView running() {
  EngineView view;
  view.phase = EnginePhase::kRunning;
  view.instance = "a";
  view.joined = true;
  return view;
}

PartitionStatus partition(int32_t number, PartitionState state) {
  PartitionStatus status;
  status.partition = number;
  status.state = state;
  return status;
}

TEST(Readiness, AnInstanceWithoutPartitionsIsReady) { EXPECT_TRUE(is_ready(running())); }

TEST(Readiness, EveryOwnedPartitionMustRun) {
  EngineView view = running();
  view.partitions = {partition(0, PartitionState::kRunning), partition(1, PartitionState::kReplaying)};
  EXPECT_FALSE(is_ready(view));
  view.partitions[1].state = PartitionState::kFollowing;
  EXPECT_TRUE(is_ready(view));
  view.partitions[0].state = PartitionState::kStopped;
  EXPECT_FALSE(is_ready(view));
}

TEST(Readiness, BeforeTheGroupAnsweredAndWhileDrainingItIsNotReady) {
  EngineView view = running();
  view.joined = false;
  EXPECT_FALSE(is_ready(view));
  view.joined = true;
  view.phase = EnginePhase::kDraining;
  EXPECT_FALSE(is_ready(view));
}

TEST(Readiness, TheBodySaysWhatEachPartitionWaitsFor) {
  EngineView view = running();
  view.partitions = {partition(4, PartitionState::kPaused)};
  view.partitions[0].reason = "no \"space\"";
  view.partitions[0].position = 17;
  view.partitions[0].commit = 3;
  EXPECT_EQ(readiness_json(view),
            "{\"ready\":false,\"instance\":\"a\",\"state\":\"running\",\"partitions\":[{\"partition\":4,\"state\":\"paused\",\"reason\":\"no "
            "\\\"space\\\"\",\"position\":17,\"commit\":3}]}\n");
  view.partitions[0].high_watermark = 20;
  EXPECT_THAT(readiness_json(view), HasSubstr("\"high_watermark\":20"));
}

TEST(Readiness, TheBodySaysThatTheClockHasJumped) {
  EngineView view = running();
  EXPECT_THAT(readiness_json(view), Not(HasSubstr("clock")));
  view.clock_jump = std::chrono::hours(2);
  EXPECT_THAT(readiness_json(view), HasSubstr("jumped ahead by 7200 s"));
  EXPECT_TRUE(is_ready(view)) << "events are taken as ever";
}

TEST(Readiness, WhileItStartsTheBodySaysWhatItWaitsFor) {
  EngineView view;
  view.waits_for = "missing topics: events";
  EXPECT_THAT(readiness_json(view), HasSubstr("\"waits_for\":\"missing topics: events\""));
  EXPECT_THAT(readiness_json(running()), Not(HasSubstr("waits_for")));
}

TEST(EngineMetrics, LagIsMeasuredFromThePositionAndNeverNegative) {
  EngineView view = running();
  view.partitions = {partition(4, PartitionState::kRunning)};
  view.partitions[0].position = 17;
  view.partitions[0].high_watermark = 20;
  const Context context;
  const telemetry::ReloadStatus reload;
  EXPECT_THAT(metrics_text(view, {}, reload, context), HasSubstr("segue_consumer_lag_records{partition=\"4\"} 3\n"));
  view.partitions[0].position = 21;
  const std::string text = metrics_text(view, {}, reload, context);
  EXPECT_THAT(text, HasSubstr("segue_consumer_lag_records{partition=\"4\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("segue_partition_state{partition=\"4\",state=\"running\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("segue_partition_state{partition=\"4\",state=\"stopped\"} 0\n"));
}

TEST(EngineMetrics, CommitDurationsAreACumulativeHistogram) {
  Counted counted;
  counted.commit_buckets[1] = 2;
  counted.commit_buckets[3] = 1;
  counted.commit_seconds = 0.25;
  const Context context;
  const telemetry::ReloadStatus reload;
  const std::string text = metrics_text(running(), counted, reload, context);
  EXPECT_THAT(text, HasSubstr("segue_commit_duration_seconds_bucket{le=\"0.001\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("segue_commit_duration_seconds_bucket{le=\"0.003\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("segue_commit_duration_seconds_bucket{le=\"0.005\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("segue_commit_duration_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("segue_commit_duration_seconds_sum 0.25\n"));
}

}  // namespace
}  // namespace segue::engine
