// SPDX-License-Identifier: Apache-2.0
#include "services/engine/engine.h"

#include "lib/http/operations.h"
#include "lib/telemetry/log.h"
#include "services/engine/client_options.h"
#include "services/engine/reload.h"
#include "services/engine/state_directory.h"

namespace segue::engine {
namespace {

namespace log = telemetry::log;

// Mostly they wait for brokers.
constexpr size_t kBackgroundThreads = 4;
constexpr std::chrono::milliseconds kAsk{10'000};
// Half of the usual session timeout of 45 s: a static member is back before the group gives its partitions away.
constexpr std::chrono::seconds kCleanStop{20};
// A worker's loop turns at least every 50 ms; a turn in a backlog takes some 30 ms.
constexpr std::chrono::seconds kLongestTurn{60};

}  // namespace

Engine::Engine(config::Config config, std::shared_ptr<const segment::Definitions> definitions) {
  context_.config = std::move(config);
  context_.clients = client_options(context_.config);
  context_.definitions = std::make_unique<WantedDefinitions>(std::move(definitions));
}

Engine::~Engine() { server_.reset(); }

Result<std::unique_ptr<Engine>> Engine::open(config::Config config, std::shared_ptr<const segment::Definitions> definitions) {
  std::unique_ptr<Engine> engine(new Engine(std::move(config), std::move(definitions)));
  const std::string& directory = engine->context_.config.state.directory;
  SEGUE_TRY(engine->files_.make_directories(directory + "/state"));
  if (const std::string& snapshots = engine->context_.config.snapshots.directory; !snapshots.empty())
    SEGUE_TRY(engine->files_.make_directories(snapshots));
  auto locked = filelog::lock_directory(engine->files_, directory);
  if (!locked) return tl::unexpected<Error>(std::move(locked.error()));
  engine->lock_ = std::move(*locked);
  engine->context_.block_cache = rocks::make_block_cache(engine->context_.config.state.block_cache_bytes);
  SEGUE_TRY(engine->listen());
  return engine;
}

// ---- the whole life

Result<> Engine::run() {
  if (const std::string concern = kafka::login_concern(context_.clients.security); !concern.empty())
    log::warn("about the login", {{"concern", concern}});
  auto shared = kafka::TopicInspector::open(context_.clients);
  if (!shared) return tl::unexpected<Error>(std::move(shared.error()));
  auto watcher = kafka::TopicInspector::open(context_.clients);
  if (!watcher) return tl::unexpected<Error>(std::move(watcher.error()));
  SEGUE_TRY(wait_for_topics(**watcher));
  if (wait_for_stop(std::chrono::milliseconds(0))) return {};
  context_.inspector = std::make_unique<SharedInspector>(std::move(*shared), context_.ending);
  SEGUE_TRY(describe_state_directory(files_, context_));
  if (auto started = start_parts(std::move(*watcher)); !started) {
    fail(std::move(started.error()));
  } else {
    phase_ = EnginePhase::kRunning;
    while (!wait_for_stop(std::chrono::hours(1))) {
    }
  }
  stop_parts();
  const std::lock_guard lock(mutex_);
  if (!error_) return {};
  phase_ = EnginePhase::kFailed;
  return tl::unexpected<Error>(*error_);
}

// After the first start, which an instance that has state remembers: a restart must not be refused for what a running engine lives with.
bool Engine::input_has_grown(const kafka::TopicPartitions& counts) {
  const int32_t known = counts[kafka::Topic::kJournal];
  if (counts[kafka::Topic::kTransitions] != known || counts[kafka::Topic::kDeadLetters] != known || counts[kafka::Topic::kInput] <= known)
    return false;
  const auto stored = read_state_directory(files_, context_.config.state.directory);
  return stored && *stored && (*stored)->partitions == static_cast<size_t>(known);
}

Result<> Engine::wait_for_topics(kafka::TopicInspector& inspector) {
  log::Throttle throttle(std::chrono::minutes(1));
  const auto say = [&](std::string what) {
    throttle.warn("waiting", {{"for", what}});
    const std::lock_guard lock(mutex_);
    waits_for_ = std::move(what);
  };
  say("a broker");
  for (;;) {
    const auto counts = inspector.partitions(kAsk);
    std::string missing;
    if (!counts) {
      say("a broker: " + counts.error().message);
    } else {
      std::string all;
      bool differ = false;
      for (const kafka::Topic topic : kafka::kAllTopics) {
        const std::string& name = context_.clients.topics.name(topic);
        const int32_t count = (*counts)[topic];
        if (count == 0) missing += (missing.empty() ? "" : ", ") + name;
        all += (all.empty() ? "" : ", ") + name + " has " + std::to_string(count);
        differ |= count != (*counts)[kafka::Topic::kInput];
      }
      if (missing.empty() && differ && input_has_grown(*counts)) {
        context_.partitions = static_cast<size_t>((*counts)[kafka::Topic::kJournal]);
        context_.places.set_partitions(context_.partitions);
        context_.counters.unread_partitions = static_cast<size_t>((*counts)[kafka::Topic::kInput]) - context_.partitions;
        log::error("the input has got more partitions than the state here knows; they are not read", {{"topics", all}});
        break;
      }
      if (missing.empty() && differ) return segue::fail(ErrorClass::kUsage, "the four topics must have the same number of partitions: " + all);
      if (missing.empty()) {
        context_.partitions = static_cast<size_t>((*counts)[kafka::Topic::kInput]);
        context_.places.set_partitions(context_.partitions);
        break;
      }
      say("missing topics: " + missing);
    }
    if (wait_for_stop(std::chrono::seconds(1))) return {};
  }
  if (const auto concerns = inspector.concerns(kAsk))
    for (const std::string& concern : *concerns) log::warn("about the topics", {{"concern", concern}});
  const std::lock_guard lock(mutex_);
  waits_for_ = "the group";
  return {};
}

Result<> Engine::start_parts(std::unique_ptr<kafka::TopicInspector> inspector) {
  openers_ = std::make_unique<Background>(kBackgroundThreads);
  closers_ = std::make_unique<Background>(kBackgroundThreads);
  if (!context_.config.snapshots.directory.empty()) snapshotter_ = std::make_unique<Snapshotter>(context_);
  context_.snapshotter = snapshotter_.get();
  Worker::Surroundings surroundings{context_, table_, *openers_, *closers_, nullptr, [this](Error error) { fail(std::move(error)); }};
  if (context_.config.standby == "all") surroundings.take_from_standby = [this](int32_t partition) { return standby_->take(partition); };
  std::vector<Worker*> workers;
  for (uint64_t i = 0; i < context_.config.kafka.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(surroundings, static_cast<int>(i)));
    workers.push_back(workers_.back().get());
  }
  if (context_.config.standby == "all") {
    standby_ = std::make_unique<Standby>(context_, table_, workers);
    SEGUE_TRY(standby_->start());
  }
  for (Worker* worker : workers) SEGUE_TRY(worker->start());
  end_watcher_ = std::make_unique<EndWatcher>(context_, table_, workers, std::move(inspector));
  return {};
}

// Every shard is brought to rest before the group notices: clean, and quick to open again.
void Engine::stop_parts() {
  if (phase_ == EnginePhase::kRunning) phase_ = EnginePhase::kDraining;
  log::info("stopping");
  end_watcher_.reset();
  const auto deadline = Clock::now() + kCleanStop;
  context_.ending = true;
  table_.end();
  for (const auto& worker : workers_) worker->stop(deadline);
  for (const auto& worker : workers_) worker->join();
  standby_.reset();
  openers_->drain();
  closers_->drain();
  context_.snapshotter = nullptr;
  snapshotter_.reset();
  log::info("stopped");
}

void Engine::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void Engine::fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    stopping_ = true;
  }
  changed_.notify_all();
}

bool Engine::wait_for_stop(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return stopping_; });
}

void Engine::reload(bool others_were_right) {
  context_.clock_guard.confirm();
  const bool right = reload_definitions(context_.config.definitions, *context_.definitions);
  reload_.note(right && others_were_right, wall_clock());
}

// ---- HTTP

Result<> Engine::listen() {
  auto server =
      http::serve_operations(context_.config.http.listen,
                             {.livez = [this] { return livez(); }, .readyz = [this] { return readyz(); }, .metrics = [this] { return metrics(); }});
  if (!server) return tl::unexpected<Error>(std::move(server.error()));
  server_ = std::move(*server);
  if (server_) log::info("health and metrics listen", {{"address", address()}});
  return {};
}

// Never depends on Kafka: a process that waits for a broker must not be killed for it.
http::Response Engine::livez() const {
  if (phase_ == EnginePhase::kRunning) {
    for (const auto& worker : workers_)
      if (Clock::now() - worker->last_turn() > kLongestTurn) return {.status = 503, .body = "a worker has not turned for a minute\n"};
  }
  return {.body = "ok\n"};
}

EngineView Engine::look() const {
  EngineView seen;
  seen.phase = phase_;
  seen.instance = context_.config.instance;
  seen.clock_jump = context_.clock_guard.ahead();
  if (phase_ != EnginePhase::kStarting) {
    seen.joined = true;
    for (const auto& worker : workers_) {
      seen.joined = seen.joined && worker->joined();
      seen.rebalances += worker->rebalances();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    seen.waits_for = waits_for_;
  }
  for (auto& [holder, view] : table_.held()) seen.partitions.push_back(view->status());
  return seen;
}

std::optional<uint64_t> Engine::log_end(int32_t partition) const {
  for (const auto& [holder, view] : table_.held())
    if (const PartitionStatus status = view->status(); status.partition == partition) return status.high_watermark;
  return std::nullopt;
}

http::Response Engine::readyz() {
  const EngineView seen = look();
  return {.status = is_ready(seen) ? 200u : 503u, .content_type = "application/json", .body = readiness_json(seen)};
}

std::string Engine::metrics() { return metrics_text(look(), totals_.collect(table_.views()), reload_, context_); }

std::string Engine::address() const { return server_ ? http::to_string(server_->address()) : std::string(); }

}  // namespace segue::engine
