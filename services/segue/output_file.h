// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "lib/filelog/file_system.h"

namespace segue::program {

// Calls `visit` with every committed line of a shard's transitions, in order, without its line end, whatever the file's size; stops where the
// journal does (a writer may be at work) and at the first error.
Result<> for_each_transition(filelog::FileSystem& files, const std::string& directory, const std::string& shard,
                             const std::function<Result<>(std::string_view line)>& visit);

}  // namespace segue::program
