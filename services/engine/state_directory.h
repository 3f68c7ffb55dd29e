// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "lib/base/result.h"
#include "lib/filelog/file_system.h"
#include "services/engine/context.h"

namespace segue::engine {

// What DIR/engine.json says.
struct EngineDirectory {
  std::string application;
  std::string input;
  size_t partitions = 0;
};
// Nothing where the directory has no engine.json; kData where it is damaged.
Result<std::optional<EngineDirectory>> read_state_directory(filelog::FileSystem& files, const std::string& directory);
// Writes DIR/engine.json where there is none (docs/formats/state-directory.md). kUsage when the directory is another application's, or a replay's.
Result<> describe_state_directory(filelog::FileSystem& files, const Context& context);

}  // namespace segue::engine
