// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/base/result.h"

namespace segue::program {

// What a script may rely on (docs/cli.md).
enum ExitCode : int {
  kOk = 0,
  kDiffers = 1,       // not found, or not the same
  kUsage = 2,         // the command line; a directory that was made from another log, with other definitions or shards
  kData = 65,         // damaged data
  kFault = 70,        // of the program itself
  kIo = 74,           // a file or directory is missing, forbidden or in use; disk full
  kConfig = 78,       // definitions or configuration
  kInterrupted = 130  // by SIGINT or SIGTERM
};

inline ExitCode exit_code(ErrorClass kind) { return kind == ErrorClass::kData ? kData : kIo; }

}  // namespace segue::program
