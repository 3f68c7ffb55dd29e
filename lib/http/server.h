// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "lib/base/result.h"
#include "lib/http/listen_address.h"
#include "lib/http/message.h"

namespace segue::http {

// A small HTTP/1.1 server on one thread of its own: for metrics and health, not for the public internet (no TLS). Malformed requests are answered
// with 400, too large ones with 413 or 431; silent connections are closed.
class Server {
 public:
  struct Options {
    ListenAddress address;
    size_t max_connections = 64;  // further ones wait in the kernel's queue
    size_t max_header_bytes = 8192;
    size_t max_body_bytes = 65536;              // read and dropped: no handler here takes one
    std::chrono::milliseconds timeout{10'000};  // for a whole request, an answer, and between two requests of a connection
  };

  // Listens before it returns; the error names the address.
  static Result<std::unique_ptr<Server>> start(Options options, Handler handler);
  // Closes every connection and waits for the thread.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // With the port that was chosen.
  const ListenAddress& address() const;

 private:
  class Listener;
  explicit Server(std::unique_ptr<Listener> listener);

  std::unique_ptr<Listener> listener_;
};

}  // namespace segue::http
