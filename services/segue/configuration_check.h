// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/segue/commands.h"

namespace segue::program {

// `segue check` of a configuration: itself, the definitions, tokens and certificates that it names, and the directories. Gives the exit code.
int check_configuration(const std::string& path, const CheckCommand& command);

}  // namespace segue::program
