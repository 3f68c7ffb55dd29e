// SPDX-License-Identifier: Apache-2.0
#include "services/segue/api_session.h"

#include "lib/http/operations.h"
#include "lib/pipeline/version.h"
#include "lib/telemetry/log.h"
#include "lib/telemetry/metric_page.h"
#include "services/engine/client_options.h"
#include "services/segue/live_api.h"

namespace segue::program {
namespace {

namespace log = telemetry::log;

constexpr std::string_view kListen = "127.0.0.1:8080";
// For requests under way, and for erasures that the brokers have not acknowledged.
constexpr std::chrono::seconds kDrain{5};
// How often a run looks whether the producer is still of use.
constexpr std::chrono::milliseconds kLook{200};

}  // namespace

ApiSession::ApiSession(const config::Config& config, std::shared_ptr<const segment::Definitions> definitions)
    : config_(config),
      definitions_(std::move(definitions)),
      directory_(
          [how = engine::partitioner(config)](std::string_view user_id, size_t partitions) { return topic_partition(how, user_id, partitions); }) {}

ApiSession::~ApiSession() = default;

Result<std::unique_ptr<ApiSession>> ApiSession::open(const config::Config& config, std::shared_ptr<const segment::Definitions> definitions) {
  std::unique_ptr<ApiSession> session(new ApiSession(config, std::move(definitions)));
  SEGUE_TRY(session->start_api());
  SEGUE_TRY(session->listen());
  return session;
}

Result<> ApiSession::start_api() {
  const kafka::ClientOptions client = engine::client_options(config_);
  auto erasures = kafka::EventProducer::open(client, {});
  if (!erasures) return tl::unexpected<Error>(std::move(erasures.error()));
  erasures_ = std::move(*erasures);
  outputs_ = std::make_unique<kafka::OutputTopics>(client);
  InstanceWatch::Options watch{.client = client, .topic = config_.kafka.instances, .instance = config_.instance};
  watch.definitions = [this] { return definitions_.get()->hash(); };
  watch.count_partitions = true;
  watch_ = std::make_unique<InstanceWatch>(std::move(watch), directory_);
  api::Surroundings around{.directory = directory_, .feed = outputs_->feed()};
  around.mode = api::Mode::kApi;
  around.instance = config_.instance;
  around.version = pipeline::kProgramVersion;
  around.sink = erasures_.get();
  around.definitions = [this] { return definitions_.get(); };
  around.dead_letters = [this](int32_t partition, size_t limit, std::string_view reason) { return outputs_->dead_letters(partition, limit, reason); };
  around.instances = [this] { return watch_->view(); };
  api::ApiOptions options = api_options(config_.api);
  if (options.listen.empty()) options.listen = kListen;
  options.ask_others = true;
  options.metrics = requests_;
  auto started = api::Api::start(std::move(options), std::move(around));
  if (!started) return tl::unexpected<Error>(std::move(started.error()));
  api_ = std::move(*started);
  return {};
}

Result<> ApiSession::listen() {
  auto started =
      http::serve_operations(config_.http.listen, {.livez = {}, .readyz = [this] { return readyz(); }, .metrics = [this] { return metrics(); }});
  if (!started) return tl::unexpected<Error>(std::move(started.error()));
  health_ = std::move(*started);
  if (health_) log::info("health and metrics listen", {{"address", http::to_string(health_->address())}});
  return {};
}

// Shards that are away are no reason: it answers 503 for their users, and another `segue api` could not do better.
http::Response ApiSession::readyz() const {
  if (watch_->is_ready()) return {.body = "ready\n"};
  return {.status = 503, .body = "no way to the instances: " + watch_->view().trouble + "\n"};
}

std::string ApiSession::metrics() const {
  telemetry::MetricPage page;
  page.add("segue_build_info", 1, {pipeline::kProgramVersion});
  requests_->add_to(page);
  reload_.add_to(page);
  telemetry::add_process_metrics(page);
  return page.text();
}

Result<> ApiSession::run() {
  Result<> result;
  {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kLook, [this] { return stopping_; })) {
      if (auto fatal = erasures_->fatal()) {
        result = tl::unexpected(std::move(*fatal));
        break;
      }
    }
  }
  log::info("stopping");
  api_->stop(kDrain);
  watch_->stop();
  erasures_->stop(kDrain);
  return result;
}

void ApiSession::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void ApiSession::reload() {
  const bool definitions = engine::reload_definitions(config_.definitions, definitions_);
  reload_.note(api_->reload() && definitions, engine::wall_clock());
}

}  // namespace segue::program
