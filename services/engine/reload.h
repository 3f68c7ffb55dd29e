// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "lib/base/result.h"
#include "lib/base/time.h"
#include "services/engine/context.h"

namespace segue::engine {

// Reads the definitions of `path`; empty: those that are built in. kUsage with every mistake, one a line.
Result<std::shared_ptr<const segment::Definitions>> load_definitions(const std::string& path);

// How the last reload went, for metrics; any thread.
struct ReloadStatus {
  std::atomic<bool> successful{true};
  std::atomic<int64_t> success_ms{0};
};

// Puts what the file says now in force, if it is right.
void reload_definitions(const std::string& path, WantedDefinitions& definitions, ReloadStatus& status);

}  // namespace segue::engine
