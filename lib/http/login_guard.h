// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/http/message.h"
#include "lib/http/tokens.h"

namespace segue::http {

// Makes guessing slow. An address (of IPv6 its first 64 bits) that has shown too many wrong tokens is not told about further ones until some time
// has passed: right and wrong ones are refused alike. Only tokens that were right from there before still pass, so that one client with an old
// token does not shut out the others behind the same proxy. Thread-safe; time is passed in.
class LoginGuard {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Options {
    double wrong_per_minute = 20;
    double burst = 20;
    size_t max_addresses = 10'000;  // further ones are not counted: tokens are long, and nobody may shut out all others by using many addresses
  };

  LoginGuard() : LoginGuard(Options()) {}
  explicit LoginGuard(Options options) : options_(options) {}

  // A request showed a token; null: a wrong one. The answer, 429, where it has to wait; else it goes on as the token says.
  std::optional<Response> refuse(std::string_view remote_ip, const TokenTable::Token* token, Time now);
  size_t addresses() const;

 private:
  struct Address {
    double left = 0;  // wrong ones that may still come
    Time filled;
    std::vector<std::string> right;  // names of tokens
  };
  Address* find_or_add(std::string_view remote_ip, Time now);
  double left_of(const Address& address, Time now) const;
  void forget_quiet_ones(Time now);

  const Options options_;
  mutable std::mutex mutex_;
  std::map<std::string, Address, std::less<>> addresses_;  // guarded by mutex_
  std::optional<Time> forgot_;                             // likewise
};

}  // namespace segue::http
