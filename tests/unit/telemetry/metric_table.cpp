// SPDX-License-Identifier: Apache-2.0
#include "lib/telemetry/metric_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace segue::telemetry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(MetricTable, NamesFollowTheConventions) {
  std::set<std::string_view> names;
  for (const MetricDescription& metric : metric_table()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name << " is there twice";
    EXPECT_EQ(metric.name.ends_with("_total"), metric.type == MetricType::kCounter) << metric.name;
    EXPECT_TRUE(metric.name.starts_with("segue_") || metric.name.starts_with("process_")) << metric.name;
    EXPECT_EQ(metric.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << metric.name;
    EXPECT_TRUE(metric.help.ends_with('.')) << metric.name;
    if (metric.unit == "bytes" || metric.unit == "seconds") {
      EXPECT_NE(metric.name.find(metric.unit), std::string_view::npos) << metric.name;
    }
  }
}

TEST(MetricTable, LabelsAreSeparatedByCommas) {
  EXPECT_THAT(label_names({.labels = "move,from,to"}), ElementsAre("move", "from", "to"));
  EXPECT_THAT(label_names({.labels = "type"}), ElementsAre("type"));
  EXPECT_THAT(label_names({}), IsEmpty());
}

TEST(MetricTable, IndexFindsTheMetricOfThatName) {
  for (const MetricDescription& metric : metric_table()) EXPECT_EQ(metric_table()[metric_index(metric.name)].name, metric.name);
  EXPECT_DEATH(metric_index("segue_nothing"), "");
}

TEST(MetricTable, DocumentIsUpToDate) {
  const std::string wanted = metric_table_as_markdown();
  if (std::getenv("SEGUE_UPDATE_DOCS") != nullptr) std::ofstream(SEGUE_METRICS_DOC) << wanted;
  std::ifstream file(SEGUE_METRICS_DOC);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), wanted) << "docs/metrics.md is stale: run this test with SEGUE_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace segue::telemetry
