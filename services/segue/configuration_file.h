// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lib/base/result.h"
#include "lib/config/load.h"

namespace segue::program {

// The configuration of a file and of this process's environment, secrets read. Says on standard error what is wrong with it, every mistake on a line
// of its own, and gives the exit code. Without a path: defaults and the environment.
tl::expected<config::Config, int> load_configuration(const std::string& path, config::Purpose purpose = config::Purpose::kEngine);
// The same for a process that goes on to run: its log is as the configuration has it from here on.
tl::expected<config::Config, int> start_configuration(const std::string& path, config::Purpose purpose = config::Purpose::kEngine);

}  // namespace segue::program
