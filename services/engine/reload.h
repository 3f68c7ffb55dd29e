// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "lib/base/result.h"
#include "lib/base/time.h"
#include "services/engine/context.h"

namespace segue::engine {

// Reads the definitions of `path`; empty: those that are built in. kUsage with every mistake, one a line.
Result<std::shared_ptr<const segment::Definitions>> load_definitions(const std::string& path);

// Puts what the file says now in force, if it is right; false: it is not, and the log says why.
bool reload_definitions(const std::string& path, WantedDefinitions& definitions);

}  // namespace segue::engine
