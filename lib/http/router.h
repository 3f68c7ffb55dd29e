// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/http/keyring.h"
#include "lib/http/login_guard.h"
#include "lib/http/responder.h"

namespace segue::http {

// Asked with the head of a request, before its body is read: an answer refuses it. For keys and rates that are no bearer tokens.
using Gate = std::function<std::optional<Response>(const Request&)>;

struct RouteOptions {
  Scope scope = Scope::kNone;  // of the bearer token that is asked for; kNone: anybody
  size_t max_body_bytes = 0;   // decompressed too; 0: the server's
  Gate gate = nullptr;
};

// A request that no page of another site can have made a browser on this machine send: it names this machine by its address or as localhost, and
// comes from no other origin. Where loopback needs no token, everything else is refused.
bool is_local(const Request& request);
// 421, for requests that are not.
Response not_local();

// Methods and path templates to handlers. A template is "/v1/profiles/{user_id}": a name in braces takes one piece of the path, decoded, never empty;
// "/assets/{path...}" at the end takes the rest, slashes and all. A template without braces goes before one with them, else the first added counts.
class Router {
 public:
  // Answers HEAD too: the server sends no body then.
  void get(std::string path, Handler handler) { add("GET", std::move(path), answer_at_once(std::move(handler))); }
  // Each method and template once. "GET" answers HEAD too.
  void add(std::string method, std::string path, AsyncHandler handler, RouteOptions options = {});
  // Routes with a scope ask for a token of these; the server reads their file again when it is told to. Without tokens the routes are open to this
  // machine: a server off loopback does not start then, and requests that a browser sends for another site are refused.
  void authorize(std::shared_ptr<Keyring> keyring) { keyring_ = std::move(keyring); }
  // Null: no tokens.
  const std::shared_ptr<Keyring>& keyring() const { return keyring_; }

  struct Route {
    std::string method;
    std::string path;  // the template
    AsyncHandler handler;
    RouteOptions options;
    std::vector<std::string> pieces = {};  // of the template
    bool plain = true;                     // has no braces
  };
  // Finds the route of the head of a request and lets it pass: sets route, path parameters and token name. Null: `refusal` is the answer, 400 to 405.
  const Route* admit(Request& request, Response& refusal) const;
  // admit and the handler, for tests and calls within the process.
  void operator()(Request request, Responder responder) const;

  const std::vector<std::shared_ptr<const Route>>& routes() const { return routes_; }
  // Some route asks for a scope, and there are no tokens.
  bool is_open() const;

 private:
  bool fits(const Route& route, const std::vector<std::string_view>& pieces) const;
  bool take_parameters(const Route& route, const std::vector<std::string_view>& pieces, Request& request) const;
  bool authorized(const Route& route, Request& request, Response& refusal) const;

  std::vector<std::shared_ptr<const Route>> routes_;  // plain ones first
  std::shared_ptr<Keyring> keyring_;
  std::shared_ptr<LoginGuard> guard_ = std::make_shared<LoginGuard>();
};

}  // namespace segue::http
