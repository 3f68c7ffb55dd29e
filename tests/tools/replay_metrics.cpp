// SPDX-License-Identifier: Apache-2.0
#include "services/segue/replay_metrics.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "lib/telemetry/metric_table.h"
#include "tests/tools/program_fixture.h"

namespace segue::program {
namespace {

using telemetry::MetricPage;

// name{labels} to value.
std::map<std::string, double> read_page(const std::string& text) {
  std::map<std::string, double> values;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const size_t space = line.rfind(' ');
    EXPECT_TRUE(values.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second) << line << " is there twice";
  }
  return values;
}

double sum_of(const std::map<std::string, double>& values, const std::string& name) {
  double sum = 0;
  for (const auto& [series, value] : values)
    if (series.substr(0, series.find('{')) == name) sum += value;
  return sum;
}

class ReplayMetrics : public ProgramTest {
 protected:
  static std::string page_of(const replay::Replay& replay, const replay::ReplayOptions& options) {
    MetricPage page;
    add_replay_metrics(page, &replay, options.definitions.get(), false);
    return page.text();
  }
};

// What only an engine has begins with the state of its partitions.
TEST_F(ReplayMetrics, PageHasExactlyTheMetricsOfTheTableButTheEngines) {
  const auto options = replay_options(make_log(5000, 500), "out", 2);
  auto replay = replay::Replay::open(options);
  ASSERT_TRUE(replay && (*replay)->run());
  std::set<std::string> exported;
  for (const auto& [series, value] : read_page(page_of(**replay, options))) exported.insert(series.substr(0, series.find('{')));
  std::set<std::string> documented;
  const auto table = telemetry::metric_table();
  const size_t engines = telemetry::metric_index("segue_partition_state");
  for (size_t i = 0; i < table.size(); ++i)
    if (i < engines || table[i].name.starts_with("process_")) documented.emplace(table[i].name);
  EXPECT_EQ(exported, documented);
}

TEST_F(ReplayMetrics, WhatIsConsumedIsAppliedDiscardedOrDead) {
  const auto options = replay_options(make_log(20'000, 800), "out", 2);
  auto replay = replay::Replay::open(options);
  ASSERT_TRUE(replay);
  const auto summary = (*replay)->run();
  ASSERT_TRUE(summary);
  const auto values = read_page(page_of(**replay, options));
  EXPECT_EQ(values.at("segue_events_consumed_total"), 20'000);
  EXPECT_EQ(sum_of(values, "segue_events_applied_total") + sum_of(values, "segue_events_discarded_total") + sum_of(values, "segue_dlq_records_total"),
            20'000);
  EXPECT_GT(values.at("segue_events_discarded_total{reason=\"duplicate\"}"), 0);
  EXPECT_GT(sum_of(values, "segue_dlq_records_total"), 0);
  EXPECT_EQ(sum_of(values, "segue_profiles"), static_cast<double>(summary->users));
  EXPECT_EQ(values.at("segue_outputs_total"), sum_of(values, "segue_transitions_total"));
  for (const std::string stage : {"potential", "buyer", "returning", "lapsed"}) {
    double change = 0;
    for (const auto& [series, value] : values) {
      if (series.find(",to=\"" + stage + "\"}") != std::string::npos) change += value;
      if (series.find(",from=\"" + stage + "\",") != std::string::npos) change -= value;
    }
    EXPECT_EQ(values.at("segue_profiles{segment=\"" + stage + "\"}"), change) << stage;
  }
}

TEST_F(ReplayMetrics, CountersBeginWithTheProcess) {
  const auto options = replay_options(make_log(20'000, 800), "out");
  run(options);
  auto again = replay::Replay::open(options);
  ASSERT_TRUE(again && (*again)->run());
  const auto values = read_page(page_of(**again, options));
  EXPECT_EQ(values.at("segue_events_consumed_total"), 0);
  EXPECT_EQ(sum_of(values, "segue_events_applied_total"), 0);
  EXPECT_EQ(sum_of(values, "segue_transitions_total"), 0);
  EXPECT_GT(sum_of(values, "segue_profiles"), 0);
}

TEST_F(ReplayMetrics, EverySeriesOfAClosedSetIsThereFromTheStart) {
  MetricPage page;
  add_replay_metrics(page, nullptr, nullptr, false);
  const auto values = read_page(page.text());
  EXPECT_EQ(values.at("segue_dlq_records_total{reason=\"from_the_future\"}"), 0);
  EXPECT_EQ(values.at("segue_events_applied_total{type=\"delete\"}"), 0);
  EXPECT_EQ(values.at("segue_up_state{state=\"starting\"}"), 1);
  EXPECT_EQ(sum_of(values, "segue_up_state"), 1);
  EXPECT_EQ(values.count("segue_replay_bytes"), 0u) << "unknown is absent";
}

TEST_F(ReplayMetrics, PassesPromtool) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  const auto options = replay_options(make_log(5000, 500), "out");
  auto replay = replay::Replay::open(options);
  ASSERT_TRUE(replay && (*replay)->run());
  write(path("page"), page_of(**replay, options));
  EXPECT_EQ(std::system(("promtool check metrics < " + path("page")).c_str()), 0);
}

}  // namespace
}  // namespace segue::program
