// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "lib/base/result.h"
#include "lib/segment/definitions.h"

namespace segue::program {

// The definitions of a file. Says on standard error what is wrong with it, every mistake on a line of its own, and gives the exit code.
tl::expected<std::shared_ptr<const segment::Definitions>, int> load_definitions(const std::string& path);
// The same; without a path those that the program has built in.
tl::expected<std::shared_ptr<const segment::Definitions>, int> load_or_built_in_definitions(const std::string& path);
// Those that the program has built in.
std::shared_ptr<const segment::Definitions> built_in_definitions();

}  // namespace segue::program
