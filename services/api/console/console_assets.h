// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace segue::api {

// One file of the console, as it lies in the program.
struct ConsoleAsset {
  std::string_view path;  // "/", "/assets/index-Q4EZjs75.js"
  std::string_view content_type;
  std::string_view etag;   // with its quotes
  bool immutable = false;  // the name has a hash of the content: may be cached for ever
  std::string_view gzip;   // the body, with Content-Encoding gzip
};

std::span<const ConsoleAsset> console_assets();

}  // namespace segue::api
