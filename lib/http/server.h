// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/result.h"
#include "lib/http/listen_address.h"
#include "lib/http/request_metrics.h"
#include "lib/http/router.h"

namespace segue::http {

// Files in PEM. TLS 1.2 and later.
struct TlsFiles {
  std::string certificate_file;  // the server's first, then those that signed it
  std::string key_file;
};

// What an access log may say of a request: no path, no query, no header.
struct AccessRecord {
  std::string_view method;
  std::string_view route;  // the template; empty: no route fits
  unsigned status = 0;
  std::chrono::microseconds duration{0};  // from the whole request to its answer, or to the start of its stream
  size_t request_bytes = 0;               // of the decompressed body
  size_t response_bytes = 0;              // of the body; 0 of a stream
  std::string_view remote_ip;
  std::string_view token_name;
};

// An HTTP/1.1 server on a thread of its own (or some). Errors that it finds itself are problem+json: 400, 408, 413, 415, 417, 431, 501; an
// answer that takes too long is 503. Requests that a client pipelines are answered one after another.
class Server {
 public:
  struct Options {
    ListenAddress address;
    size_t threads = 1;
    size_t max_connections = 64;  // further ones wait in the kernel's queue, once no idle one can be closed for them
    size_t max_header_bytes = 8192;
    size_t max_body_bytes = 65536;  // also of the decompressed body
    size_t max_stream_bytes = 1u << 20;
    std::chrono::milliseconds request_timeout{10'000};  // from the first byte of a request to its last
    std::chrono::milliseconds idle_timeout{10'000};     // between two requests
    std::chrono::milliseconds answer_timeout{30'000};   // for the handler
    std::chrono::milliseconds write_timeout{10'000};    // while the socket takes nothing, of answers and of streams
    std::optional<TlsFiles> tls = {};
    std::shared_ptr<RequestMetrics> metrics = {};
    std::function<void(const AccessRecord&)> on_answer = {};  // on the server's thread
  };

  // Listens before it returns; kRetry: the address is in use. Routes that need a scope are served on loopback only where there is no table of tokens.
  static Result<std::unique_ptr<Server>> start(Options options, Router router);
  // Closes every connection and waits for the threads.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // With the port that was chosen.
  const ListenAddress& address() const;
  // Takes no new connection, answers the requests that are there, ends streams; true when all connections went within the time.
  bool drain(std::chrono::milliseconds limit);
  // Reads certificate, key and the router's file of tokens again, for connections and requests to come; streams whose token is not the same any more
  // end. What cannot be used stays as it was, and the error says so. False: there is nothing that could be read again.
  Result<bool> reload();

 private:
  class Listener;
  explicit Server(std::unique_ptr<Listener> listener);

  std::unique_ptr<Listener> listener_;
};

// Whether a server could use them.
Result<> check_tls_files(const TlsFiles& files);

bool is_loopback(const ListenAddress& address);

}  // namespace segue::http
