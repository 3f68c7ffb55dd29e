// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace segue {

// Prints the condition and the place, then aborts. The state on disk stays as of the last commit, and recovery starts from there.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace segue

// States what a programmer promised. Stays on in release: going on with a broken promise could write wrong state.
#define SEGUE_ASSERT(condition) (static_cast<bool>(condition) ? static_cast<void>(0) : ::segue::assertion_failed(#condition, __FILE__, __LINE__))
