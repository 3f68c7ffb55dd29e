// SPDX-License-Identifier: Apache-2.0
#include "services/api/api.h"

#include <mutex>
#include <utility>
#include <vector>

#include "lib/base/assert.h"
#include "lib/http/access_log.h"
#include "lib/http/asset.h"
#include "lib/http/gzip.h"
#include "lib/telemetry/log.h"
#include "services/api/audience_routes.h"
#include "services/api/chores.h"
#include "services/api/console/console_assets.h"
#include "services/api/definition_routes.h"
#include "services/api/neighbours.h"
#include "services/api/openapi.h"
#include "services/api/previews.h"
#include "services/api/shop_routes.h"
#include "services/api/transition_streams.h"
#include "services/api/user_routes.h"

namespace segue::api {
namespace {

constexpr size_t kMaxConnections = 512;

http::AsyncHandler serve(std::shared_ptr<const http::Asset> asset, std::vector<http::Header> headers) {
  return http::answer_at_once([asset = std::move(asset), headers = std::move(headers)](const http::Request& request) {
    http::Response response = answer_asset(request, *asset);
    response.headers.insert(response.headers.end(), headers.begin(), headers.end());
    return response;
  });
}

void add_openapi(http::Router& router) {
  auto asset = std::make_shared<http::Asset>(http::Asset{.content_type = "application/json"});
  asset->bytes = std::make_shared<const std::string>(openapi_text());
  asset->etag = http::make_etag(*asset->bytes);
  router.add("GET", "/openapi.json", serve(std::move(asset), {}));
}

constexpr size_t kLongestConsoleFile = 16u << 20;

void add_console(http::Router& router) {
  // The page loads nothing from elsewhere, and nobody frames it.
  const std::vector<http::Header> page = {{"Content-Security-Policy",
                                           "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
                                           "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
                                          {"Referrer-Policy", "no-referrer"},
                                          {"X-Frame-Options", "DENY"}};
  for (const ConsoleAsset& file : console_assets()) {
    auto asset = std::make_shared<http::Asset>();
    asset->content_type = file.content_type;
    if (file.immutable) asset->cache_control = "public, max-age=31536000, immutable";
    asset->gzip_bytes = std::make_shared<const std::string>(file.gzip);
    auto bytes = http::gunzip(file.gzip, kLongestConsoleFile);
    SEGUE_ASSERT(bytes);
    asset->bytes = std::make_shared<const std::string>(std::move(*bytes));
    asset->etag = file.etag;
    router.add("GET", std::string(file.path), serve(std::move(asset), page));
  }
}

}  // namespace

Result<> check_options(const ApiOptions& options) {
  if (!options.listen.empty())
    if (const auto address = http::parse_listen_address(options.listen); !address)
      return fail(ErrorClass::kUsage, "api.listen: " + address.error().message);
  if (options.certificate_file.empty() != options.key_file.empty())
    return fail(ErrorClass::kUsage, "api.certificate_file and api.key_file go together");
  if (!options.certificate_file.empty())
    if (const auto tls = http::check_tls_files({options.certificate_file, options.key_file}); !tls)
      return fail(ErrorClass::kUsage, "api.certificate_file: " + tls.error().message);
  if (!options.tokens_file.empty())
    if (const auto tokens = http::Keyring::open(options.tokens_file, http::TokenLines::kTokens); !tokens)
      return fail(ErrorClass::kUsage, "api.tokens_file: " + tokens.error().message);
  return {};
}

struct Api::Parts {
  explicit Parts(Surroundings surroundings) : around(std::move(surroundings)), previews(around), streams(around.feed) {}

  // The server goes first, then what its handlers use: chores before what they work on.
  Surroundings around;
  Previews previews;
  TransitionStreams streams;
  Chores chores;
  std::unique_ptr<Neighbours> neighbours;
  bool is_secure = false;
  std::mutex mutex;  // of server, which a reload may ask for while stop() ends it
  std::unique_ptr<http::Server> server;
};

Api::Api(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Api::~Api() = default;

Result<std::unique_ptr<Api>> Api::start(ApiOptions options, Surroundings around) {
  SEGUE_TRY(check_options(options));
  const auto address = http::parse_listen_address(options.listen);
  if (!address) return tl::unexpected<Error>(address.error());
  auto parts = std::make_unique<Parts>(std::move(around));
  if (options.ask_others) {
    auto neighbours = Neighbours::start({.token_file = options.instance_token_file, .ca_file = options.ca_file});
    if (!neighbours) return tl::unexpected<Error>(neighbours.error());
    parts->neighbours = std::move(*neighbours);
    parts->around.neighbours = parts->neighbours.get();
  }
  http::Router router;
  if (!options.tokens_file.empty()) {
    auto tokens = http::Keyring::open(options.tokens_file, http::TokenLines::kTokens);
    if (!tokens) return tl::unexpected<Error>(tokens.error());
    router.authorize(std::move(*tokens));
  }
  add_user_routes(router, parts->around);
  add_audience_routes(router, parts->around);
  add_shop_routes(router, parts->around, parts->chores);
  add_definition_routes(router, parts->around, parts->chores, parts->previews);
  router.add("GET", "/v1/transitions",
             [&streams = parts->streams](const http::Request& request, const http::Responder& responder) { streams.open(request, responder); },
             {.scope = http::Scope::kRead});
  add_openapi(router);
  if (options.console) add_console(router);
  http::Server::Options server{.address = *address, .max_connections = kMaxConnections};
  server.metrics = options.metrics;
  server.on_answer = http::access_log();
  parts->is_secure = !options.certificate_file.empty();
  if (parts->is_secure) server.tls = http::TlsFiles{options.certificate_file, options.key_file};
  auto started = http::Server::start(std::move(server), std::move(router));
  if (!started && started.error().kind == ErrorClass::kRetry) return fail(ErrorClass::kRetry, "api.listen: " + started.error().message);
  if (!started) return tl::unexpected<Error>(started.error());
  parts->server = std::move(*started);
  return std::unique_ptr<Api>(new Api(std::move(parts)));
}

void Api::stop(std::chrono::milliseconds limit) {
  parts_->server->drain(limit);
  const std::lock_guard lock(parts_->mutex);
  parts_->server.reset();
}

bool Api::reload() {
  const std::lock_guard lock(parts_->mutex);
  if (!parts_->server) return true;
  const auto token = parts_->neighbours ? parts_->neighbours->reload() : Result<>();
  if (!token) telemetry::log::error("the token for other instances stays as it was", {{"reason", token.error().message}});
  return http::reload_and_tell(*parts_->server, "api") && token;
}

const http::ListenAddress& Api::address() const { return parts_->server->address(); }

std::string Api::url() const { return (parts_->is_secure ? "https://" : "http://") + http::to_string(address()) + "/"; }

}  // namespace segue::api
