// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/http/listen_address.h"
#include "lib/http/message.h"

namespace segue::http {

// Asks other instances. Connections are kept and used again; one request at a time on each. A thread of its own.
class Client {
 public:
  struct Options {
    std::chrono::milliseconds timeout{5000};       // for the whole exchange, connecting included
    std::chrono::milliseconds idle_timeout{5000};  // a kept connection is closed then; shorter than the server's
    size_t max_idle_connections = 8;               // kept for each address
    size_t max_requests = 1024;                    // at a time, all addresses together; more are refused
    size_t max_answer_bytes = 64u << 20;
    std::string tls_ca_file = {};  // addresses are asked over TLS, and their certificate must be signed by one of these and name the address
  };
  struct Call {
    ListenAddress address;  // a name is looked up for each connection
    std::string method = "GET";
    std::string target;  // path and query, encoded
    std::vector<Header> headers = {};
    std::string body = {};
  };
  // kRetry: not reached, too slow, or broken off; the other side may have taken the request. kData: no HTTP, or too large.
  using Done = std::function<void(Result<Response>)>;

  static Result<std::unique_ptr<Client>> start(Options options);
  // Requests that are under way fail.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `done` is called once, on the client's thread; it must not block or throw. A request on a kept connection that turns out to be closed is sent
  // again on a new one. Any thread.
  void send(Call call, Done done);
  // The same, waiting. Not on the client's thread.
  Result<Response> ask(Call call);

 private:
  class Worker;
  explicit Client(std::unique_ptr<Worker> worker);

  std::unique_ptr<Worker> worker_;
};

}  // namespace segue::http
