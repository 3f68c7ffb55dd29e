// SPDX-License-Identifier: Apache-2.0
#include "services/segue/up_session.h"

#include "lib/http/operations.h"
#include "lib/telemetry/log.h"
#include "lib/telemetry/metric_page.h"
#include "services/collector/collector_options.h"
#include "services/engine/reload.h"
#include "services/segue/exit_code.h"
#include "services/segue/live_api.h"

namespace segue::program {
namespace {

namespace log = telemetry::log;

// For a last commit and checkpoint: those of a million changed profiles take about 10 s.
constexpr std::chrono::seconds kCleanStop{30};
// A shard goes around at least every 20 ms; a batch that has to read every profile from a slow disk takes seconds.
constexpr std::chrono::seconds kLongestTurn{60};
// For requests under way.
constexpr std::chrono::seconds kDrain{5};
constexpr const char* kDefaultApi = "127.0.0.1:8080";

Time wall_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
int code_of(const Error& error) { return error.kind == ErrorClass::kUsage ? static_cast<int>(kUsage) : exit_code(error.kind); }

live::LiveOptions live_options(const std::string& directory, const config::Config& config, std::shared_ptr<const segment::Definitions> definitions) {
  live::LiveOptions options;
  options.directory = directory;
  options.partitions = config.embedded.partitions;
  options.definitions = std::move(definitions);
  options.cache_profiles = config.state.cache_profiles;
  options.dirty_profiles = config.state.dirty_profiles;
  options.block_cache_bytes = config.state.block_cache_bytes;
  options.commit_interval = config.commit.interval;
  options.commit_events = config.commit.events;
  options.follow_wall_clock = config.clock.follow_wall_clock;
  options.clock_step = config.clock.step;
  options.checkpoint_events = config.checkpoint.events;
  options.checkpoint_interval = config.checkpoint.interval;
  return options;
}

}  // namespace

UpSession::UpSession(std::string directory, config::Config config) : directory_(std::move(directory)), config_(std::move(config)) {}

// From the outside in: the collector's completions need the writer, what the writer tells goes to the engine.
UpSession::~UpSession() {
  server_.reset();
  collector_.reset();
  api_.reset();
  told_ = nullptr;
  writer_.reset();
}

tl::expected<std::unique_ptr<UpSession>, UpSession::Refusal> UpSession::open(const std::string& directory, config::Config config,
                                                                             std::shared_ptr<const segment::Definitions> definitions) {
  const auto refuse = [](Error error, int code) { return tl::make_unexpected(Refusal{std::move(error), code}); };
  std::unique_ptr<UpSession> session(new UpSession(directory, std::move(config)));
  auto locked = filelog::lock_directory(session->files_, directory);
  if (!locked) return refuse(std::move(locked.error()), kIo);
  session->lock_ = std::move(*locked);
  if (auto opened = session->open_log(); !opened) return refuse(opened.error(), code_of(opened.error()));
  if (auto opened = session->open_engine(std::move(definitions)); !opened) return refuse(opened.error(), code_of(opened.error()));
  // What a person has to mend, or an address that is in use.
  const auto code_of_listener = [](const Error& error) { return error.kind == ErrorClass::kUsage ? kConfig : kIo; };
  if (auto listening = session->listen(); !listening) return refuse(listening.error(), code_of_listener(listening.error()));
  if (auto opened = session->open_collector(); !opened) return refuse(opened.error(), code_of_listener(opened.error()));
  if (auto opened = session->open_api(); !opened) return refuse(opened.error(), code_of_listener(opened.error()));
  return session;
}

// First: it cuts what a crash left of a last line, and nobody may have read that.
Result<> UpSession::open_log() {
  if (config_.collector.listen == kNoListener) return {};
  filelog::LogWriter::Options options;
  options.directory = directory_ + "/log";
  options.partitions = static_cast<uint32_t>(config_.embedded.partitions);
  options.queue_bytes = config_.collector.queue_bytes;
  options.on_durable = [this](uint32_t) {
    if (auto* engine = told_.load()) engine->notice();
  };
  const auto throttle = std::make_shared<log::Throttle>(std::chrono::seconds{10});
  options.on_error = [throttle](const Error& error) { throttle->error("events cannot be written", {{"error", error.message}}); };
  auto writer = filelog::LogWriter::open(files_, std::move(options));
  if (!writer) return tl::unexpected<Error>(std::move(writer.error()));
  writer_ = std::move(*writer);
  return {};
}

Result<> UpSession::open_engine(std::shared_ptr<const segment::Definitions> definitions) {
  live::LiveOptions options = live_options(directory_, config_, std::move(definitions));
  if (writer_) options.durable_bytes = [this](size_t partition) { return writer_->durable_bytes(static_cast<uint32_t>(partition)); };
  auto engine = live::LiveEngine::open(files_, std::move(options));
  if (!engine) return tl::unexpected<Error>(std::move(engine.error()));
  engine_ = std::move(*engine);
  engine_->on_failure([this] { stop(); });
  told_ = engine_.get();
  return {};
}

Result<> UpSession::open_collector() {
  if (!writer_) return {};
  auto options = collector::collector_options(config_);
  if (!options) return tl::unexpected<Error>(std::move(options.error()));
  options->metrics = requests_;
  auto started = collector::Collector::start(std::move(*options), *writer_);
  if (!started) return tl::unexpected<Error>(std::move(started.error()));
  collector_ = std::move(*started);
  return {};
}

Result<> UpSession::run() {
  engine_->start();
  phase_ = live::Phase::kRunning;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_; });
  }
  stop_parts();
  if (auto error = engine_->error()) {
    phase_ = live::Phase::kFailed;
    return tl::unexpected<Error>(std::move(*error));
  }
  return {};
}

// From the outside in: nothing is taken any more, then what was taken is finished.
void UpSession::stop_parts() {
  phase_ = live::Phase::kDraining;
  log::info("stopping");
  if (collector_ && !collector_->drain(kDrain)) log::warn("some requests of the collector were not answered");
  if (api_) api_->stop(kDrain);
  if (writer_) writer_->stop();
  engine_->stop(live::Clock::now() + kCleanStop);
  log::info("stopped");
}

void UpSession::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void UpSession::reload() {
  const bool definitions = reload_definitions();
  const bool api = !api_ || api_->reload();
  const bool collector = !collector_ || collector_->reload();
  reload_.note(definitions && api && collector, wall_now());
}

bool UpSession::reload_definitions() {
  const std::string& path = config_.definitions;
  if (path.empty()) {
    log::info("no definitions are read again: the configuration names no file of them");
    return true;
  }
  auto loaded = engine::load_definitions(path);
  const Result<> wanted = loaded ? engine_->want(*loaded) : tl::unexpected<Error>(loaded.error());
  if (!wanted) {
    log::error("the definitions stay as they were: the new ones cannot be used", {{"file", path}, {"reason", wanted.error().message}});
    return false;
  }
  log::info("definitions were read again", {{"file", path}, {"hash", (*loaded)->hash()}});
  return true;
}

// ---- HTTP

Result<> UpSession::listen() {
  auto server = http::serve_operations(
      config_.http.listen, {.livez = [this] { return livez(); }, .readyz = [this] { return readyz(); }, .metrics = [this] { return metrics(); }});
  if (!server) return tl::unexpected<Error>(std::move(server.error()));
  server_ = std::move(*server);
  return {};
}

Result<> UpSession::open_api() {
  auto options = api_options(config_.api);
  if (options.listen.empty()) options.listen = kDefaultApi;
  if (options.listen == kNoListener) return {};
  options.metrics = requests_;
  auto started = api::Api::start(std::move(options), live_surroundings(files_, *engine_, writer_.get(), config_.instance));
  if (!started) return tl::unexpected<Error>(std::move(started.error()));
  api_ = std::move(*started);
  return {};
}

std::string UpSession::greeting() const {
  std::string out = "segue: up in " + directory_ + ", log of " + std::to_string(engine_->log_files().size()) +
                    (engine_->log_files().size() == 1 ? " partition\n" : " partitions\n");
  if (api_) out += "segue: console and API at " + api_->url() + "\n";
  if (collector_)
    out += "segue: collector at http" + std::string(config_.collector.certificate_file.empty() ? "" : "s") + "://" +
           http::to_string(collector_->address()) + "\n";
  if (server_) out += "segue: metrics and health at http://" + http::to_string(server_->address()) + "/metrics\n";
  return out;
}

http::Response UpSession::livez() const {
  if (phase_ == live::Phase::kRunning && engine_->longest_turn() > kLongestTurn)
    return {.status = 503, .body = "a shard has not turned for a minute\n"};
  return {.body = "ok\n"};
}

live::LiveView UpSession::look() const {
  return {phase_, config_.instance, engine_->statuses(), engine_->wanted(), writer_ ? writer_->trouble() : std::string()};
}

http::Response UpSession::readyz() const {
  const live::LiveView view = look();
  return {.status = live::is_ready(view) ? 200u : 503u, .content_type = "application/json", .body = live::readiness_json(view)};
}

void UpSession::add_collector_metrics(telemetry::MetricPage& page) const {
  collector_->add_metrics(page);
  const auto totals = writer_->totals();
  page.add("segue_collector_syncs_total", static_cast<double>(totals.syncs));
  page.add("segue_collector_waiting_bytes", static_cast<double>(totals.waiting_bytes));
  page.add("segue_collector_log_bytes_total", static_cast<double>(totals.bytes));
  page.add("segue_collector_log_errors_total", static_cast<double>(totals.errors));
}

std::string UpSession::metrics() const {
  telemetry::MetricPage page;
  live::add_live_metrics(page, look(), wall_now());
  reload_.add_to(page);
  if (collector_) add_collector_metrics(page);
  requests_->add_to(page);
  telemetry::add_process_metrics(page);
  return page.text();
}

}  // namespace segue::program
