// SPDX-License-Identifier: Apache-2.0
#include "services/collector/collector_session.h"

#include "lib/http/operations.h"
#include "lib/pipeline/version.h"
#include "lib/telemetry/log.h"
#include "lib/telemetry/metric_page.h"
#include "services/collector/collector_options.h"

namespace segue::collector {
namespace {

namespace log = telemetry::log;

// How long a stop waits for clients' requests and for brokers.
constexpr std::chrono::seconds kDrain{10};
// How often a run looks whether the producer is still of use.
constexpr std::chrono::milliseconds kLook{200};

}  // namespace

Result<std::unique_ptr<CollectorSession>> CollectorSession::open(const config::Config& config, const kafka::ClientOptions& client) {
  std::unique_ptr<CollectorSession> session(new CollectorSession(config));
  auto options = collector_options(config);
  if (!options) return tl::unexpected(std::move(options).error());
  session->request_metrics_ = options->metrics;
  SEGUE_TRY(session->open_sink(client));
  intake::EventSink& sink = session->log_ ? static_cast<intake::EventSink&>(*session->log_) : *session->producer_;
  auto started = Collector::start(std::move(*options), sink);
  if (!started) return tl::unexpected(std::move(started).error());
  session->collector_ = std::move(*started);
  SEGUE_TRY(session->listen());
  log::info("collector listens", {{"address", to_string(session->collector_->address())}});
  return session;
}

// The collector goes before its sink: completions find nobody then, but a place to answer.
CollectorSession::~CollectorSession() {
  health_.reset();
  collector_.reset();
}

Result<> CollectorSession::open_sink(const kafka::ClientOptions& client) {
  const std::string& directory = config_.collector.log;
  if (directory.empty()) {
    if (client.brokers.empty()) return fail(ErrorClass::kUsage, "kafka.brokers or collector.log is needed: where events go");
    auto producer = kafka::EventProducer::open(client, {.queue_bytes = config_.collector.queue_bytes});
    if (!producer) return tl::unexpected(std::move(producer).error());
    producer_ = std::move(*producer);
    return {};
  }
  auto locked = filelog::lock_directory(files_, directory);
  if (!locked) return tl::unexpected(std::move(locked).error());
  lock_ = std::move(*locked);
  filelog::LogWriter::Options options;
  options.directory = directory + "/log";
  options.queue_bytes = config_.collector.queue_bytes;
  const auto throttle = std::make_shared<log::Throttle>(std::chrono::seconds{10});
  options.on_error = [throttle](const Error& error) { throttle->error("events cannot be written", {{"error", error.message}}); };
  auto writer = filelog::LogWriter::open(files_, std::move(options));
  if (!writer) return tl::unexpected(std::move(writer).error());
  log_ = std::move(*writer);
  return {};
}

Result<> CollectorSession::listen() {
  auto started =
      http::serve_operations(config_.http.listen, {.livez = {}, .readyz = [this] { return readyz(); }, .metrics = [this] { return metrics(); }});
  if (!started) return tl::unexpected(std::move(started).error());
  health_ = std::move(*started);
  if (health_) log::info("health and metrics listen", {{"address", to_string(health_->address())}});
  return {};
}

http::Response CollectorSession::readyz() const {
  if (draining_.load()) return {.status = 503, .body = "draining\n"};
  if (producer_ && !producer_->connected()) return {.status = 503, .body = "no broker\n"};
  if (const std::string trouble = log_ ? log_->trouble() : std::string(); !trouble.empty())
    return {.status = 503, .body = "events cannot be written: " + trouble + "\n"};
  return {.body = "ready\n"};
}

std::string CollectorSession::metrics() const {
  telemetry::MetricPage page;
  collector_->add_metrics(page);
  page.add("segue_build_info", 1, {pipeline::kProgramVersion});
  request_metrics_->add_to(page);
  uint64_t waiting = 0, bytes = 0, errors = 0;
  if (log_) {
    const auto totals = log_->totals();
    waiting = totals.waiting_bytes, bytes = totals.bytes, errors = totals.errors;
    page.add("segue_collector_syncs_total", static_cast<double>(totals.syncs));
  } else {
    const auto totals = producer_->totals();
    waiting = totals.waiting_bytes, bytes = totals.bytes, errors = totals.errors;
  }
  page.add("segue_collector_waiting_bytes", static_cast<double>(waiting));
  page.add("segue_collector_log_bytes_total", static_cast<double>(bytes));
  page.add("segue_collector_log_errors_total", static_cast<double>(errors));
  reload_.add_to(page);
  telemetry::add_process_metrics(page);
  return page.text();
}

Result<> CollectorSession::run() {
  Result<> result;
  {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kLook, [this] { return stopping_; })) {
      if (!producer_) continue;
      if (auto fatal = producer_->fatal()) {
        result = tl::unexpected(std::move(*fatal));
        break;
      }
    }
  }
  draining_.store(true);
  log::info("collector stops", {{"drained", collector_->drain(kDrain)}});
  if (log_) log_->stop();
  if (producer_) producer_->stop(kDrain);
  return result;
}

void CollectorSession::reload() { reload_.note(collector_->reload(), std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())); }

void CollectorSession::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

}  // namespace segue::collector
