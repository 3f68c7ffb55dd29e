// SPDX-License-Identifier: Apache-2.0
#include "lib/telemetry/metric_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>

#include "lib/base/assert.h"
#include "lib/telemetry/metric_table.h"

namespace segue::telemetry {
namespace {

prometheus::MetricType type_of(MetricType type) {
  if (type == MetricType::kHistogram) return prometheus::MetricType::Histogram;
  return type == MetricType::kCounter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
}

void fill(const std::vector<double>& bounds, const std::vector<uint64_t>& counts, double sum, prometheus::ClientMetric::Histogram& histogram) {
  uint64_t below = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    histogram.bucket.push_back({below, i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_count = below;
  histogram.sample_sum = sum;
}

}  // namespace

MetricPage::MetricPage() : series_(metric_table().size()) {}

void MetricPage::add(std::string_view metric, double value, std::initializer_list<std::string_view> label_values) {
  const size_t index = metric_index(metric);
  SEGUE_ASSERT(label_names(metric_table()[index]).size() == label_values.size());
  series_[index].push_back({{label_values.begin(), label_values.end()}, value});
}

void MetricPage::add_histogram(std::string_view metric, std::span<const double> bounds, std::span<const uint64_t> counts, double sum,
                               std::initializer_list<std::string_view> label_values) {
  const size_t index = metric_index(metric);
  SEGUE_ASSERT(label_names(metric_table()[index]).size() == label_values.size() && counts.size() == bounds.size() + 1);
  series_[index].push_back({{label_values.begin(), label_values.end()}, sum, {bounds.begin(), bounds.end()}, {counts.begin(), counts.end()}});
}

std::string MetricPage::text() const {
  std::vector<prometheus::MetricFamily> families;
  for (size_t i = 0; i < series_.size(); ++i) {
    if (series_[i].empty()) continue;
    const MetricDescription& metric = metric_table()[i];
    const auto names = label_names(metric);
    prometheus::MetricFamily& family = families.emplace_back();
    family.name = metric.name;
    family.help = metric.help;
    family.type = type_of(metric.type);
    for (const Series& one : series_[i]) {
      prometheus::ClientMetric& sample = family.metric.emplace_back();
      for (size_t k = 0; k < names.size(); ++k) sample.label.push_back({std::string(names[k]), one.label_values[k]});
      if (metric.type == MetricType::kHistogram) {
        fill(one.bounds, one.counts, one.value, sample.histogram);
      } else {
        (metric.type == MetricType::kCounter ? sample.counter.value : sample.gauge.value) = one.value;
      }
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace segue::telemetry
