// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/filelog/file_system.h"

namespace segue::api {

// The last lines of a dead-letter file (docs/formats/outputs.md), oldest first, `limit` at most; of one reason where it is not empty. Looks at the
// last kTailBytes of the file. No file: none.
inline constexpr uint64_t kTailBytes = 8 << 20;
Result<std::vector<std::string>> read_newest(filelog::FileSystem& files, const std::string& path, size_t limit, std::string_view reason);

// Appends the line as the API shows it: `raw` or `raw_base64` cut to kShownRaw bytes, and then `bytes` for how long it was. False for what is not
// such a line.
inline constexpr size_t kShownRaw = 4096;
bool append_shown(std::string_view line, std::string& out);

}  // namespace segue::api
