// SPDX-License-Identifier: Apache-2.0
#include "lib/http/listen_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace segue::http {
namespace {

bool is_ip(const std::string& text, int family) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(family, text.c_str(), bytes) == 1;
}

// Letters, digits, dashes, dots and underscores, as DNS and container runtimes have them.
bool is_host_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' && std::all_of(text.begin(), text.end(), fits);
}

Result<ListenAddress> parse_address(std::string_view text, bool may_be_name) {
  const auto wrong = [&](const char* what) {
    return fail(ErrorClass::kUsage, "address \"" + std::string(text) + "\": " + what + "; expected " + (may_be_name ? "HOST" : "ADDRESS") +
                                        ":PORT, such as " + (may_be_name ? "engine-1:8080 or 10.0.0.7:8080" : "127.0.0.1:9464 or [::1]:9464"));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("no port");
  ListenAddress address;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return wrong("the port is not a number from 0 to 65535");
  std::string_view host = text.substr(0, colon);
  if (!may_be_name && (host.empty() || host == "localhost")) host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) {
    address.ip = host.substr(1, host.size() - 2);
    if (!is_ip(address.ip, AF_INET6)) return wrong("not an IPv6 address between the brackets");
    return address;
  }
  address.ip = host;
  if (is_ip(address.ip, AF_INET6)) return wrong("an IPv6 address stands in brackets");
  if (is_ip(address.ip, AF_INET)) return address;
  if (!may_be_name) return wrong("not an IP address");
  if (!is_host_name(address.ip)) return wrong("not an IP address and no name of a host");
  return address;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) { return parse_address(text, false); }

Result<ListenAddress> parse_server_address(std::string_view text) {
  auto address = parse_address(text, true);
  if (address && address->port == 0) return fail(ErrorClass::kUsage, "address \"" + std::string(text) + "\": nobody is reached at port 0");
  return address;
}

bool is_wildcard(const ListenAddress& address) { return address.ip == "0.0.0.0" || address.ip == "::"; }

std::string to_string(const ListenAddress& address) {
  const bool six = address.ip.find(':') != std::string::npos;
  return (six ? "[" + address.ip + "]" : address.ip) + ":" + std::to_string(address.port);
}

}  // namespace segue::http
