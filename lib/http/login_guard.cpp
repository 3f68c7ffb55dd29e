// SPDX-License-Identifier: Apache-2.0
#include "lib/http/login_guard.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace segue::http {
namespace {

// Names that are remembered of one address: a proxy in front of more than that many kinds of clients is rare.
constexpr size_t kMaxNames = 16;
// A full table is swept no more often than this: it costs a millisecond.
constexpr std::chrono::seconds kSweep{1};

// IPv4 also where it comes as ::ffff:192.0.2.1. Whoever has an IPv6 address has at least 2^64 of them.
std::string key_of(std::string_view remote_ip) {
  const std::string text(remote_ip);
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  if (!std::string_view(bytes.data(), bytes.size()).starts_with(kMapped)) return std::string(bytes.data(), 8);
  std::array<char, INET_ADDRSTRLEN> plain{};
  inet_ntop(AF_INET, bytes.data() + kMapped.size(), plain.data(), plain.size());
  return plain.data();
}

}  // namespace

double LoginGuard::left_of(const Address& address, Time now) const {
  if (now <= address.filled) return address.left;  // another thread's reading of the clock was later
  const std::chrono::duration<double, std::ratio<60>> minutes = now - address.filled;
  return std::min(options_.burst, address.left + minutes.count() * options_.wrong_per_minute);
}

void LoginGuard::forget_quiet_ones(Time now) {
  if (forgot_ && now < *forgot_ + kSweep) return;
  forgot_ = now;
  std::erase_if(addresses_, [&](const auto& entry) { return left_of(entry.second, now) >= options_.burst; });
}

LoginGuard::Address* LoginGuard::find_or_add(std::string_view remote_ip, Time now) {
  std::string key = key_of(remote_ip);
  const auto found = addresses_.find(key);
  if (found != addresses_.end()) return &found->second;
  if (addresses_.size() >= options_.max_addresses) forget_quiet_ones(now);
  if (addresses_.size() >= options_.max_addresses) return nullptr;
  return &addresses_.emplace(std::move(key), Address{options_.burst, now, {}}).first->second;
}

std::optional<Response> LoginGuard::refuse(std::string_view remote_ip, const TokenTable::Token* token, Time now) {
  const std::lock_guard lock(mutex_);
  Address* address = find_or_add(remote_ip, now);
  if (address == nullptr) return std::nullopt;
  const bool known = token != nullptr && std::find(address->right.begin(), address->right.end(), token->name) != address->right.end();
  if (known) return std::nullopt;
  address->left = left_of(*address, now);
  address->filled = std::max(address->filled, now);
  if (address->left < 1) {
    const double seconds = (1 - address->left) / options_.wrong_per_minute * 60;
    Response response = problem(429, "too many wrong tokens came from this address");
    response.headers.push_back({"Retry-After", std::to_string(std::max<int64_t>(1, static_cast<int64_t>(std::ceil(seconds))))});
    return response;
  }
  if (token == nullptr) {
    address->left -= 1;
  } else if (address->right.size() < kMaxNames) {
    address->right.push_back(token->name);
  }
  return std::nullopt;
}

size_t LoginGuard::addresses() const {
  const std::lock_guard lock(mutex_);
  return addresses_.size();
}

}  // namespace segue::http
