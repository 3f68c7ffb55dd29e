// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
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
  // Metrics in the order of the table; one without a series is left out.
  std::string text() const;

 private:
  struct Series {
    std::vector<std::string> label_values;
    double value = 0;
  };
  std::vector<std::vector<Series>> series_;  // by metric
};

// process_*: of this process, from /proc/self; what cannot be read is left out.
void add_process_metrics(MetricPage& page);

}  // namespace segue::telemetry
