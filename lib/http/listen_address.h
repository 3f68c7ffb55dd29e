// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace segue::http {

// Where a server listens: an IP address, never a name that has to be looked up. Or whom a client asks: there it may be a name.
struct ListenAddress {
  std::string ip;     // "127.0.0.1", "::1"
  uint16_t port = 0;  // 0: any free one
};

// Takes "127.0.0.1:9464", "[::1]:9464", "localhost:9464", ":9464" (this machine only, as 127.0.0.1). kUsage says what is wrong.
Result<ListenAddress> parse_listen_address(std::string_view text);
// The same for a server that a client asks: "engine-1:8080" too. The port is not 0.
Result<ListenAddress> parse_server_address(std::string_view text);
// "0.0.0.0" or "::", at which nobody can be reached.
bool is_wildcard(const ListenAddress& address);
// "127.0.0.1:9464", "[::1]:9464".
std::string to_string(const ListenAddress& address);

}  // namespace segue::http
