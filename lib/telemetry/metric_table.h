// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace segue::telemetry {

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

// One metric that the program exports. Names: segue_, noun, unit, _total for counters only; base units.
struct MetricDescription {
  std::string_view name;
  MetricType type = MetricType::kGauge;
  std::string_view labels;  // separated by commas; their values come from closed sets
  std::string_view unit;    // empty: a pure number
  std::string_view help;    // one sentence
};

// Every metric, in the order of the page. The one place that names them: the page, docs/metrics.md and the tests follow.
std::span<const MetricDescription> metric_table();
// Index into metric_table(). A name that is not there is a programmer's mistake.
size_t metric_index(std::string_view name);
std::vector<std::string_view> label_names(const MetricDescription& metric);

// docs/metrics.md.
std::string metric_table_as_markdown();

}  // namespace segue::telemetry
