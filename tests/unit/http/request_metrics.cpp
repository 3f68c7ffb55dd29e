// SPDX-License-Identifier: Apache-2.0
#include "lib/http/request_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::http {
namespace {

using testing::HasSubstr;

TEST(RequestMetrics, CountsByRouteMethodAndCode) {
  RequestMetrics metrics;
  metrics.add_route("GET", "/a/{b}");
  metrics.count("GET", "/a/{b}", 404, std::chrono::microseconds(700));
  metrics.count("GET", "/a/{b}", 404, std::chrono::microseconds(20'000'000));
  metrics.count("other", "", 501, std::chrono::microseconds(0));
  metrics.connection_opened();
  telemetry::MetricPage page;
  metrics.add_to(page);
  const std::string text = page.text();
  for (const char* line : {"segue_http_requests_total{route=\"/a/{b}\",method=\"GET\",code=\"200\"} 0\n",
                           "segue_http_requests_total{route=\"/a/{b}\",method=\"GET\",code=\"404\"} 2\n",
                           "segue_http_requests_total{route=\"none\",method=\"other\",code=\"501\"} 1\n",
                           "segue_http_request_duration_seconds_bucket{route=\"/a/{b}\",le=\"0.0005\"} 0\n",
                           "segue_http_request_duration_seconds_bucket{route=\"/a/{b}\",le=\"0.001\"} 1\n",
                           "segue_http_request_duration_seconds_bucket{route=\"/a/{b}\",le=\"10\"} 1\n",
                           "segue_http_request_duration_seconds_count{route=\"/a/{b}\"} 2\n", "segue_http_connections 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace segue::http
