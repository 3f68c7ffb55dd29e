// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace segue::telemetry {

// The answer to one scrape: values are put in as they stand at that moment, so that nothing is counted on the event path for the sake of metrics.
// One thread at a time.
class MetricPage {
 public:
  // Exactly this, or Prometheus 3 refuses the page.
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  MetricPage();

  // One series. Requires a metric of the table, with as many label values as it has labels, each series once.
  void add(std::string_view metric, double value, std::initializer_list<std::string_view> label_values = {});
  // The same of a histogram: `counts` by bucket, not cumulative, one more than `bounds` for what is above them.
  void add_histogram(std::string_view metric, std::span<const double> bounds, std::span<const uint64_t> counts, double sum,
                     std::initializer_list<std::string_view> label_values = {});
  // Metrics in the order of the table; one without a series is left out.
  std::string text() const;

 private:
  struct Series {
    std::vector<std::string> label_values;
    double value = 0;  // of a histogram the sum
    std::vector<double> bounds = {};
    std::vector<uint64_t> counts = {};
  };
  std::vector<std::vector<Series>> series_;  // by metric
};

// process_*: of this process, from /proc/self; what cannot be read is left out.
void add_process_metrics(MetricPage& page);

}  // namespace segue::telemetry
