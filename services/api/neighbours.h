// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/http/client.h"
#include "lib/http/message.h"
#include "lib/serving/shard_directory.h"
#include "lib/telemetry/log.h"

namespace segue::api {

// Asks other instances for the shards that are not here, with this instance's own token. One hop: whoever is asked asks nobody.
class Neighbours {
 public:
  struct Options {
    std::string token_file;  // its first line is the token; empty: none is shown
    std::string ca_file;     // empty: in the clear
    std::chrono::milliseconds timeout{5000};
  };
  struct Question {
    std::string method = "GET";
    std::string target;  // path and query, encoded
    std::vector<int32_t> partitions = {};
    std::string definitions = {};  // hash; empty: any will do
    std::string body = {};         // JSON
    std::vector<http::Header> headers = {};
  };
  using Done = std::function<void(http::Response)>;

  // kUsage: a file that a person has to mend.
  static Result<std::unique_ptr<Neighbours>> start(const Options& options);

  // Reads the token again; an error leaves the old one. Any thread.
  Result<> reload();

  // `done` gets the answer with what a client may see of its headers, or 502 or 503 where there was none. Once, on a thread of this or, at once, on
  // the caller's; must not block.
  void ask(const serving::Instance& instance, Question question, Done done);

 private:
  explicit Neighbours(std::string token_file) : token_file_(std::move(token_file)) {}
  http::Response passed_on(const std::string& instance, Result<http::Response> answer);

  const std::string token_file_;
  std::mutex mutex_;
  std::string authorization_;  // empty: no token; guarded by mutex_
  telemetry::log::Throttle throttle_{std::chrono::minutes(1)};
  std::unique_ptr<http::Client> client_;  // last: its thread calls the above
};

// The first line of a file, for a header: 1 to 1,024 printable characters of ASCII. kUsage.
Result<std::string> read_token(const std::string& path);

}  // namespace segue::api
