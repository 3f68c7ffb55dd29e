// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace segue::program {

// Reads the command line, runs the command and gives the exit code (exit_code.h).
int run_command_line(int argc, const char* const* argv);

}  // namespace segue::program
