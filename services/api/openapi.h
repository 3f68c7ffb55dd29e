// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace segue::api {

// openapi.json, as it lies beside this file.
std::string_view openapi_text();

}  // namespace segue::api
