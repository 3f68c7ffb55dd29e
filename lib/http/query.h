// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/http/message.h"

namespace segue::http {

// A query of more parameters is refused.
inline constexpr size_t kMaxParameters = 64;

// %E4%BD%A0 to bytes. kUsage: a percent sign without two hexadecimal digits. The bytes may be anything, NUL included.
Result<std::string> percent_decode(std::string_view text);
// Everything but letters, digits, '-', '.', '_', '~' as %XX.
std::string percent_encode(std::string_view text);
// "a=1&b=x+y" to names and values; '+' is a space. Empty pieces are skipped.
Result<std::vector<Parameter>> parse_query(std::string_view query);

}  // namespace segue::http
