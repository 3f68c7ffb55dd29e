// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "lib/telemetry/metric_page.h"

namespace segue::http {

// Requests by route, for all servers of a process. Thread-safe.
class RequestMetrics {
 public:
  // Its series are there from then on, with 200.
  void add_route(std::string_view method, std::string_view route);
  // `route` is a template, or empty: none fits.
  void count(std::string_view method, std::string_view route, unsigned status, std::chrono::microseconds duration);
  void connection_opened();
  void connection_closed();
  void add_to(telemetry::MetricPage& page) const;

 private:
  static constexpr std::array kBoundsSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0};
  struct Durations {
    std::array<uint64_t, kBoundsSeconds.size() + 1> counts{};
    double sum_seconds = 0;
  };

  // Looks up without copying names. Tuples of different types are not compared as they are: clang 14 cannot.
  struct ByNames {
    using is_transparent = void;
    using Names = std::tuple<std::string_view, std::string_view, unsigned>;
    template <class Key>
    static Names names(const Key& key) {
      return {std::get<0>(key), std::get<1>(key), std::get<2>(key)};
    }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return names(a) < names(b);
    }
  };

  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, unsigned>, uint64_t, ByNames> requests_;  // route, method, code
  std::map<std::string, Durations, std::less<>> durations_;
  int64_t connections_ = 0;
};

}  // namespace segue::http
