// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/result.h"
#include "lib/http/server.h"
#include "services/api/context.h"

namespace segue::api {

struct ApiOptions {
  std::string listen = "127.0.0.1:8080";
  std::string tokens_file;       // empty: no tokens; then loopback only
  std::string certificate_file;  // both or none
  std::string key_file;
  bool console = true;
  bool ask_others = false;          // for shards that the directory knows elsewhere, with
  std::string instance_token_file;  // the token of this file; empty: none
  std::string ca_file;              // over TLS, with these certificates; empty: in the clear
  std::shared_ptr<http::RequestMetrics> metrics;
};

// Whether an API could start with these: address, certificate and tokens are right. An empty address is.
Result<> check_options(const ApiOptions& options);

// The API (docs/api.md) and the console, on a listener of their own.
class Api {
 public:
  // Listens before it returns. kUsage: an address, file or set of tokens that a person has to mend; kRetry: the address is in use.
  static Result<std::unique_ptr<Api>> start(ApiOptions options, Surroundings around);
  // Requires that the shards have ended: reads that wait for them answer through this.
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Takes no more requests, answers those that are there, ends streams. Before the shards end.
  void stop(std::chrono::milliseconds limit);
  // Reads certificate, key, tokens and the token for other instances again; what is wrong stays as it was. False: something was, and the log says
  // what. Any thread.
  bool reload();
  // With the port that was chosen.
  const http::ListenAddress& address() const;
  // "http://127.0.0.1:8080/".
  std::string url() const;

 private:
  struct Parts;
  explicit Api(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace segue::api
