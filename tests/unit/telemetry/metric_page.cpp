// SPDX-License-Identifier: Apache-2.0
#include "lib/telemetry/metric_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MetricPage, GivesHelpTypeAndSeriesInTheOrderOfTheTable) {
  MetricPage page;
  page.add("segue_commits_total", 3);
  page.add("segue_up_state", 0, {"starting"});
  page.add("segue_up_state", 1, {"running"});
  EXPECT_EQ(page.text(),
            "# HELP segue_up_state 1 for the state that the program is in, 0 for the others.\n"
            "# TYPE segue_up_state gauge\n"
            "segue_up_state{state=\"starting\"} 0\n"
            "segue_up_state{state=\"running\"} 1\n"
            "# HELP segue_commits_total Commits: outputs, dead letters and journal record made durable together.\n"
            "# TYPE segue_commits_total counter\n"
            "segue_commits_total 3\n");
}

TEST(MetricPage, LabelValuesAreEscaped) {
  MetricPage page;
  page.add("segue_profiles", 2, {"流失\"\n\\"});
  EXPECT_THAT(page.text(), HasSubstr("segue_profiles{segment=\"流失\\\"\\n\\\\\"} 2\n"));
}

TEST(MetricPage, LargeCountsKeepEveryDigit) {
  MetricPage page;
  page.add("segue_events_consumed_total", 9007199254740991.0);
  EXPECT_THAT(page.text(), HasSubstr("segue_events_consumed_total 9007199254740991\n"));
}

TEST(MetricPage, MetricWithoutSeriesIsAbsent) { EXPECT_EQ(MetricPage().text(), ""); }

TEST(MetricPage, WrongNumberOfLabelsIsAMistake) {
  MetricPage page;
  EXPECT_DEATH(page.add("segue_profiles", 1), "");
  EXPECT_DEATH(page.add("segue_unheard_of", 1), "");
}

TEST(ProcessMetrics, AreThoseOfThisProcess) {
  MetricPage page;
  add_process_metrics(page);
  const std::string text = page.text();
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes", "process_open_fds",
                           "process_start_time_seconds"})
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name + " "));
  EXPECT_THAT(text, Not(HasSubstr("-")));
  EXPECT_THAT(text, Not(HasSubstr("process_resident_memory_bytes 0\n")));
}

}  // namespace
}  // namespace segue::telemetry
