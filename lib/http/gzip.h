// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace segue::http {

enum class GunzipError : uint8_t { kDamaged, kTooLarge };

// A whole gzip stream, of one member or several. Never makes more than `max_bytes`.
tl::expected<std::string, GunzipError> gunzip(std::string_view bytes, size_t max_bytes);
// For tests and clients.
std::string gzip(std::string_view bytes);

}  // namespace segue::http
