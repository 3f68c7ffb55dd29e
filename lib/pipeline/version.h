// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace segue::pipeline {

// The version of the program as journals and checkpoints name it. Raise it with every change that can decide differently.
inline constexpr const char* kProgramVersion = "0.1.0";

}  // namespace segue::pipeline
