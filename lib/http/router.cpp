// SPDX-License-Identifier: Apache-2.0
#include "lib/http/router.h"

#include <algorithm>

#include "lib/base/assert.h"
#include "lib/http/query.h"

namespace segue::http {
namespace {

std::vector<std::string_view> pieces_of(std::string_view path) {
  std::vector<std::string_view> pieces;
  path.remove_prefix(std::min<size_t>(1, path.size()));  // the slash that it starts with
  for (;;) {
    const size_t slash = path.find('/');
    pieces.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return pieces;
    path.remove_prefix(slash + 1);
  }
}

bool is_name(std::string_view piece) { return piece.starts_with('{'); }
bool is_rest(std::string_view piece) { return piece.ends_with("...}"); }
std::string name_of(std::string_view piece) {
  piece.remove_prefix(1);
  piece.remove_suffix(is_rest(piece) ? 4 : 1);
  return std::string(piece);
}

bool takes(const Router::Route& route, std::string_view method) { return route.method == method || (route.method == "GET" && method == "HEAD"); }

// "127.0.0.1:8080", "[::1]", "localhost": no name that somebody else's DNS could lead here.
bool is_local_host(std::string_view host) {
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  return equal_ignoring_case(host, "localhost") || (!host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

}  // namespace

// Pages of other sites can make a browser send requests here, under a name of theirs (DNS rebinding) or across origins.
bool is_local(const Request& request) {
  const std::string_view host = request.header("Host");
  if (!host.empty() && !is_local_host(host)) return false;
  const auto origin = request.find_header("Origin");
  if (!origin) return true;
  const size_t slashes = origin->find("://");
  return slashes != std::string_view::npos && equal_ignoring_case(origin->substr(slashes + 3), host);
}

Response not_local() {
  return problem(421, "without tokens or keys, requests name this machine as localhost or by its address, and come from no other site");
}

void Router::add(std::string method, std::string path, AsyncHandler handler, RouteOptions options) {
  SEGUE_ASSERT(path.starts_with('/'));
  auto route = std::make_shared<Route>(Route{std::move(method), std::move(path), std::move(handler), std::move(options)});
  for (const auto& other : routes_) SEGUE_ASSERT(other->method != route->method || other->path != route->path);
  for (const std::string_view piece : pieces_of(route->path)) {
    route->pieces.emplace_back(piece);
    route->plain = route->plain && !is_name(piece);
  }
  const auto place = std::find_if(routes_.begin(), routes_.end(), [](const auto& other) { return !other->plain; });
  routes_.insert(route->plain ? place : routes_.end(), route);
}

bool Router::fits(const Route& route, const std::vector<std::string_view>& pieces) const {
  const bool rest = is_rest(route.pieces.back());
  if (rest ? pieces.size() < route.pieces.size() : pieces.size() != route.pieces.size()) return false;
  for (size_t i = 0; i < route.pieces.size(); ++i) {
    const bool wanted = is_name(route.pieces[i]) ? !pieces[i].empty() : pieces[i] == route.pieces[i];
    if (!wanted) return false;
  }
  return true;
}

bool Router::take_parameters(const Route& route, const std::vector<std::string_view>& pieces, Request& request) const {
  for (size_t i = 0; i < route.pieces.size(); ++i) {
    if (!is_name(route.pieces[i])) continue;
    std::string_view text = pieces[i];
    if (is_rest(route.pieces[i])) text = std::string_view(request.path).substr(static_cast<size_t>(pieces[i].data() - request.path.data()));
    auto value = percent_decode(text);
    if (!value) return false;
    request.path_parameters.push_back({name_of(route.pieces[i]), std::move(*value)});
  }
  return true;
}

bool Router::authorized(const Route& route, Request& request, Response& refusal) const {
  if (route.options.scope == Scope::kNone) return true;
  const auto tokens = keyring_ ? keyring_->get() : nullptr;
  if (tokens == nullptr || tokens->empty()) {
    if (is_local(request)) return true;
    refusal = not_local();
    return false;
  }
  const auto shown = bearer_token(request.header("Authorization"));
  const TokenTable::Token* token = shown ? tokens->find(*shown) : nullptr;
  if (shown) {
    if (auto wait = guard_->refuse(request.remote_ip, token, std::chrono::steady_clock::now())) {
      refusal = std::move(*wait);
      return false;
    }
  }
  if (token == nullptr) {
    refusal = problem(401, shown ? "the token is not known" : "a bearer token is needed");
    refusal.headers.push_back({"WWW-Authenticate", shown ? "Bearer realm=\"segue\", error=\"invalid_token\"" : "Bearer realm=\"segue\""});
    return false;
  }
  request.token_name = token->name;
  if (token->has(route.options.scope)) return true;
  const std::string scope(scope_name(route.options.scope));
  refusal = problem(403, "the token has no scope " + scope);
  refusal.headers.push_back({"WWW-Authenticate", "Bearer realm=\"segue\", error=\"insufficient_scope\", scope=\"" + scope + "\""});
  return false;
}

const Router::Route* Router::admit(Request& request, Response& refusal) const {
  const auto pieces = pieces_of(request.path);
  std::string allow;
  const Route* found = nullptr;
  for (const auto& route : routes_) {
    if (!fits(*route, pieces)) continue;
    if (takes(*route, request.method)) {
      found = route.get();
      break;
    }
    if (request.route.empty()) request.route = route->path;
    allow += (allow.empty() ? "" : ", ") + (route->method == "GET" ? std::string("GET, HEAD") : route->method);
  }
  if (found == nullptr) {
    refusal = allow.empty() ? problem(404) : problem(405);
    refusal.allow = std::move(allow);
    return nullptr;
  }
  request.route = found->path;
  if (!authorized(*found, request, refusal)) return nullptr;
  if (!take_parameters(*found, pieces, request)) {
    refusal = problem(400, "the path has a percent sign without two hexadecimal digits");
    return nullptr;
  }
  auto parameters = parse_query(request.query);
  if (!parameters) {
    refusal = problem(400, parameters.error().message);
    return nullptr;
  }
  request.parameters = std::move(*parameters);
  if (!found->options.gate) return found;
  auto refused = found->options.gate(request);
  if (!refused) return found;
  refusal = std::move(*refused);
  return nullptr;
}

void Router::operator()(Request request, Responder responder) const {
  Response refusal;
  if (const Route* route = admit(request, refusal); route != nullptr) {
    route->handler(std::move(request), std::move(responder));
  } else {
    responder.send(std::move(refusal));
  }
}

bool Router::is_open() const {
  const bool asks = std::any_of(routes_.begin(), routes_.end(), [](const auto& route) { return route->options.scope != Scope::kNone; });
  return asks && (keyring_ == nullptr || keyring_->get()->empty());
}

}  // namespace segue::http
