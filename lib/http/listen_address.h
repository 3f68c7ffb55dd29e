// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace segue::http {

// Where a server listens: an IP address, never a name that has to be looked up.
struct ListenAddress {
  std::string ip;     // "127.0.0.1", "::1"
  uint16_t port = 0;  // 0: any free one
};

// Takes "127.0.0.1:9464", "[::1]:9464", "localhost:9464", ":9464" (this machine only, as 127.0.0.1). kUsage says what is wrong.
Result<ListenAddress> parse_listen_address(std::string_view text);
// "127.0.0.1:9464", "[::1]:9464".
std::string to_string(const ListenAddress& address);

}  // namespace segue::http
