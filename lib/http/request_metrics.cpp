// SPDX-License-Identifier: Apache-2.0
#include "lib/http/request_metrics.h"

#include <algorithm>

namespace segue::http {
namespace {

std::string_view shown(std::string_view route) { return route.empty() ? "none" : route; }

}  // namespace

void RequestMetrics::add_route(std::string_view method, std::string_view route) {
  const std::lock_guard lock(mutex_);
  requests_.try_emplace({std::string(shown(route)), std::string(method), 200u}, 0);
  durations_.try_emplace(std::string(shown(route)));
}

void RequestMetrics::count(std::string_view method, std::string_view route, unsigned status, std::chrono::microseconds duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  const size_t bucket = static_cast<size_t>(std::lower_bound(kBoundsSeconds.begin(), kBoundsSeconds.end(), seconds) - kBoundsSeconds.begin());
  const std::lock_guard lock(mutex_);
  const auto key = std::tuple(shown(route), method, status);
  auto request = requests_.find(key);
  if (request == requests_.end()) request = requests_.try_emplace({std::string(shown(route)), std::string(method), status}, 0).first;
  ++request->second;
  auto durations = durations_.find(shown(route));
  if (durations == durations_.end()) durations = durations_.try_emplace(std::string(shown(route))).first;
  ++durations->second.counts[bucket];
  durations->second.sum_seconds += seconds;
}

void RequestMetrics::connection_opened() {
  const std::lock_guard lock(mutex_);
  ++connections_;
}

void RequestMetrics::connection_closed() {
  const std::lock_guard lock(mutex_);
  --connections_;
}

void RequestMetrics::add_to(telemetry::MetricPage& page) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, count] : requests_) {
    const auto& [route, method, code] = key;
    page.add("segue_http_requests_total", static_cast<double>(count), {route, method, std::to_string(code)});
  }
  for (const auto& [route, durations] : durations_) {
    page.add_histogram("segue_http_request_duration_seconds", kBoundsSeconds, durations.counts, durations.sum_seconds, {route});
  }
  page.add("segue_http_connections", static_cast<double>(connections_));
}

}  // namespace segue::http
