// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "lib/base/time.h"
#include "lib/telemetry/metric_page.h"

namespace segue::telemetry {

// How the last reload went, of everything that one SIGHUP reads again. Any thread.
class ReloadStatus {
 public:
  // `right`: all of it could be used.
  void note(bool right, Time now) {
    was_right_ = right;
    if (right) success_ms_ = to_ms(now);
  }
  bool was_right() const { return was_right_; }
  void add_to(MetricPage& page) const {
    page.add("segue_config_last_reload_successful", was_right_ ? 1 : 0);
    page.add("segue_config_last_reload_success_timestamp_seconds", static_cast<double>(success_ms_) / 1000);
  }

 private:
  std::atomic<bool> was_right_{true};
  std::atomic<int64_t> success_ms_{0};  // 0: never
};

}  // namespace segue::telemetry
