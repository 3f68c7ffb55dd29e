// SPDX-License-Identifier: Apache-2.0
#include "services/collector/collector.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "lib/codec/json_writer.h"

namespace segue::collector {
namespace {

// Clients come back after this many seconds; a sync takes milliseconds, a broker's election some seconds.
constexpr int64_t kRetrySeconds = 1;

http::Response json(std::string body) {
  http::Response response;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

http::Response come_again(unsigned status, std::string_view detail, int64_t seconds = kRetrySeconds) {
  http::Response response = http::problem(status, detail);
  response.headers.push_back({"Retry-After", std::to_string(seconds)});
  return response;
}

http::Response unauthorized() {
  http::Response response = http::problem(401, "a write key is needed, as the user name of Basic authentication");
  response.headers.push_back({"WWW-Authenticate", "Basic realm=\"segue\""});
  return response;
}

// The answer to canonical events.
http::Response events_answer(const intake::IntakeBatch& batch) {
  const uint64_t rejected = std::accumulate(batch.rejected.begin(), batch.rejected.end(), uint64_t{0});
  std::string body;
  codec::JsonWriter writer(body);
  writer.begin_object();
  writer.name("accepted"), writer.unsigned_integer(batch.records.size());
  if (rejected != 0) writer.name("rejected_count"), writer.unsigned_integer(rejected);
  writer.name("rejected"), writer.begin_array();
  for (const intake::RejectedLine& line : batch.told) {
    writer.begin_object();
    writer.name("line"), writer.unsigned_integer(line.line);
    writer.name("reason"), writer.string(event::name(line.reason));
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  http::Response response = json(std::move(body));
  if (batch.records.empty() && rejected != 0) response.status = 422;
  return response;
}

// Names this process in made-up ids: two must not make the same.
std::string make_instance() {
  std::random_device random;
  std::string name;
  for (int i = 0; i < 16; ++i) name.push_back("0123456789abcdef"[random() & 15]);
  return name;
}

CollectorOptions with_instance(CollectorOptions options) {
  options.tracking.instance = make_instance();
  return options;
}

}  // namespace

Collector::Collector(CollectorOptions options, intake::EventSink& sink)
    : options_(with_instance(std::move(options))),
      sink_(sink),
      limiter_({.per_second = static_cast<double>(std::max<uint64_t>(options_.events_per_second, 1)),
                .burst = static_cast<double>(std::max<uint64_t>(options_.events_per_second, 1))}),
      reader_(options_.tracking) {}

Collector::~Collector() { server_.reset(); }

Result<std::unique_ptr<Collector>> Collector::start(CollectorOptions options, intake::EventSink& sink) {
  std::unique_ptr<Collector> collector(new Collector(std::move(options), sink));
  const CollectorOptions& told = collector->options_;
  if (!collector->needs_key() && !http::is_loopback(told.address)) {
    return fail(ErrorClass::kUsage,
                "the collector listens on " + to_string(told.address) + " only with write keys: without them on this machine alone");
  }
  http::Server::Options server;
  server.address = told.address;
  server.max_connections = told.max_connections;
  server.max_body_bytes = told.max_body_bytes;
  server.tls = told.tls;
  server.metrics = told.metrics;
  server.on_answer = told.on_answer;
  auto started = http::Server::start(std::move(server), collector->routes());
  if (!started && started.error().kind == ErrorClass::kRetry) return fail(ErrorClass::kRetry, "collector.listen: " + started.error().message);
  if (!started) return tl::unexpected(std::move(started).error());
  collector->server_ = std::move(*started);
  return collector;
}

http::Router Collector::routes() {
  http::Router router;
  // Write keys are looked at here, for they may be in the body; the server reads their file again.
  router.authorize(options_.write_keys);
  const auto add = [&](std::string path, Route route) {
    http::RouteOptions options;
    options.gate = [this](const http::Request& request) { return check_header(request); };
    const auto handler = [this, route](http::Request request, http::Responder responder) { take(request, responder, route); };
    router.add("POST", std::move(path), handler, options);
  };
  for (size_t i = 0; i < codec::kCallKindNames.size(); ++i) {
    add("/v1/" + std::string(codec::kCallKindNames[i]), {Form::kCall, static_cast<codec::CallKind>(i)});
  }
  add("/v1/batch", {Form::kBatch, std::nullopt});
  add("/v1/import", {Form::kBatch, std::nullopt});
  add("/v1/events", {Form::kEvents, std::nullopt});
  return router;
}

// Before the body is read: a wrong key costs nothing. Without keys anybody on this machine may send, but no page that its browser shows.
std::optional<http::Response> Collector::check_header(const http::Request& request) {
  if (!needs_key() && !http::is_local(request)) return http::not_local();
  if (request.header("Authorization").empty()) return std::nullopt;
  auto key = key_of(request, {});
  if (key) return std::nullopt;
  return std::move(key.error());
}

tl::expected<std::string, http::Response> Collector::key_of(const http::Request& request, std::string_view body_key) {
  if (!needs_key()) return std::string();
  const std::string_view header = request.header("Authorization");
  const auto shown = header.empty() ? std::string(body_key) : http::basic_user(header).value_or("");
  if (shown.empty()) return tl::unexpected<http::Response>(unauthorized());
  const auto keys = options_.write_keys->get();
  const http::TokenTable::Token* key = keys->find(shown);
  if (auto wait = guard_.refuse(request.remote_ip, key, std::chrono::steady_clock::now())) return tl::unexpected<http::Response>(std::move(*wait));
  if (key == nullptr) return tl::unexpected<http::Response>(unauthorized());
  return key->name;
}

void Collector::take(const http::Request& request, const http::Responder& responder, const Route& route) {
  const Time received = options_.now();
  if (route.form == Form::kEvents) {
    reader_.read_events(request.body, received);
  } else if (auto read = reader_.read_calls(request.body, route.kind, received); !read) {
    // Without a key nobody is told more.
    auto key = key_of(request, {});
    return responder.send(key ? http::problem(400, read.error().message) : std::move(key.error()));
  }
  const intake::IntakeBatch& batch = reader_.batch();
  auto key = key_of(request, batch.write_key);
  if (!key) return responder.send(std::move(key.error()));
  if (options_.events_per_second != 0 && !batch.records.empty()) {
    const auto wait = limiter_.take(*key, static_cast<double>(batch.records.size()), http::RateLimiter::Time::clock::now());
    if (wait.count() != 0) {
      counts_->refused(batch.records.size());
      return responder.send(come_again(429, "the key sends more events a second than it may", (wait.count() + 999) / 1000));
    }
  }
  hand_over(responder, route.form == Form::kEvents ? events_answer(batch) : json("{\"success\":true}"));
}

void Collector::hand_over(const http::Responder& responder, http::Response answer) {
  const intake::IntakeBatch& batch = reader_.batch();
  if (batch.records.empty()) {
    counts_->left_out(batch);
    return responder.send(std::move(answer));
  }
  const uint64_t events = batch.records.size();
  // May be called when this collector is gone.
  auto done = [responder, answer = std::move(answer), counts = counts_, types = batch.accepted, events](const Result<>& result) {
    if (result) {
      counts->accepted(types);
      responder.send(answer);
    } else {
      counts->refused(events);
      responder.send(come_again(503, "the log cannot take events now"));
    }
  };
  switch (sink_.submit(batch.records, std::move(done))) {
    case intake::Admission::kTaken:
      return counts_->left_out(batch);
    case intake::Admission::kFull:
      counts_->refused(events);
      return responder.send(come_again(429, "too many events wait to be safe"));
    case intake::Admission::kStopped:
      counts_->refused(events);
      return responder.send(come_again(503, "the collector stops"));
  }
}

}  // namespace segue::collector
