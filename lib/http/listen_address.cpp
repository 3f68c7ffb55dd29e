// SPDX-License-Identifier: Apache-2.0
#include "lib/http/listen_address.h"

#include <arpa/inet.h>

#include <charconv>

namespace segue::http {
namespace {

bool is_ip(const std::string& text, int family) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(family, text.c_str(), bytes) == 1;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto wrong = [&](const char* what) {
    return fail(ErrorClass::kUsage,
                "address \"" + std::string(text) + "\": " + what + "; expected ADDRESS:PORT, such as 127.0.0.1:9464 or [::1]:9464");
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("no port");
  ListenAddress address;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return wrong("the port is not a number from 0 to 65535");
  std::string_view host = text.substr(0, colon);
  if (host.empty() || host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) {
    address.ip = host.substr(1, host.size() - 2);
    if (!is_ip(address.ip, AF_INET6)) return wrong("not an IPv6 address between the brackets");
    return address;
  }
  address.ip = host;
  if (is_ip(address.ip, AF_INET6)) return wrong("an IPv6 address stands in brackets");
  if (!is_ip(address.ip, AF_INET)) return wrong("not an IP address");
  return address;
}

std::string to_string(const ListenAddress& address) {
  const bool six = address.ip.find(':') != std::string::npos;
  return (six ? "[" + address.ip + "]" : address.ip) + ":" + std::to_string(address.port);
}

}  // namespace segue::http
