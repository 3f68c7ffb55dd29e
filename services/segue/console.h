// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "lib/base/result.h"
#include "services/segue/exit_code.h"

namespace segue::program {

// Before anything else: standard files that the caller closed become /dev/null, so that no file of ours gets their numbers and no output ends up in
// it; a reader that went away shows as a failed write, not as a signal.
void prepare_standard_files();

// Writes to standard output. False when nobody reads it any more (then stop quietly: nobody will see it) or it failed.
bool print(std::string_view text);
// The command's exit code, or kIo with a message when standard output could not take everything (a full disk behind a redirection).
int exit_code_after_output(int code);

// One line on standard error: "segue: MESSAGE".
void complain(std::string_view message);
// Complains and gives the exit code.
int complain_about(const Error& error);
// The same for what was configured: a mistake that a person has to mend before it can run is kConfig.
int complain_about_setup(const Error& error);

// As it is, on standard error.
void print_error(std::string_view text);

}  // namespace segue::program
