// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/result.h"
#include "lib/codec/tracking_call.h"
#include "lib/http/access_log.h"
#include "lib/http/rate_limiter.h"
#include "lib/http/server.h"
#include "lib/intake/event_sink.h"
#include "lib/intake/request_reader.h"
#include "services/collector/collector_counts.h"

namespace segue::collector {

struct CollectorOptions {
  http::ListenAddress address;
  size_t max_connections = 1024;
  size_t max_body_bytes = 512 << 10;  // unpacked
  codec::TrackingOptions tracking;    // `instance` is filled in
  uint64_t events_per_second = 0;     // of one write key; 0: no limit
  // Null or empty: requests need none, and the address has to be this machine's.
  std::shared_ptr<http::Keyring> write_keys;
  std::optional<http::TlsFiles> tls;
  std::shared_ptr<http::RequestMetrics> metrics;
  std::function<void(const http::AccessRecord&)> on_answer;
  // The wall clock: received_at.
  std::function<Time()> now = [] { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); };
};

// The tracking API and /v1/events in front of a sink (docs/collector.md). Answers come when the sink says that the events are safe.
class Collector {
 public:
  // Listens before it returns. `sink` outlives it, but for completions, which may come later. kUsage for an address that is wrong, or open to
  // others without write keys; kRetry for one that is in use.
  static Result<std::unique_ptr<Collector>> start(CollectorOptions options, intake::EventSink& sink);
  // As a crash would: requests without an answer get none.
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  const http::ListenAddress& address() const { return server_->address(); }
  // Takes no new connections and answers what is there; true when all went well within the time. The sink has to go on meanwhile.
  bool drain(std::chrono::milliseconds limit) { return server_->drain(limit); }
  // Reads certificate, key and write keys again; what is wrong stays as it was. False: something was, and the log says what.
  bool reload() { return http::reload_and_tell(*server_, "collector"); }
  void add_metrics(telemetry::MetricPage& page) const { counts_->add_to(page); }

 private:
  // What a route takes.
  enum class Form : uint8_t { kCall, kBatch, kEvents };
  struct Route {
    Form form = Form::kBatch;
    std::optional<codec::CallKind> kind;
  };

  Collector(CollectorOptions options, intake::EventSink& sink);
  http::Router routes();
  void take(const http::Request& request, const http::Responder& responder, const Route& route);
  // The name of the key that a request shows, or why it is refused.
  tl::expected<std::string, http::Response> key_of(const http::Request& request, std::string_view body_key);
  bool needs_key() const { return options_.write_keys && !options_.write_keys->get()->empty(); }
  std::optional<http::Response> check_header(const http::Request& request);
  void hand_over(const http::Responder& responder, http::Response answer);

  CollectorOptions options_;
  intake::EventSink& sink_;
  http::RateLimiter limiter_;
  http::LoginGuard guard_;
  intake::RequestReader reader_;  // of the server's one thread
  const std::shared_ptr<CollectorCounts> counts_ = std::make_shared<CollectorCounts>();
  std::unique_ptr<http::Server> server_;  // last: calls the others
};

}  // namespace segue::collector
