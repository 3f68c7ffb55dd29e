// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace segue {

inline constexpr size_t kCacheLineBytes = 64;

// Asks the processor for the lines of [begin, begin + bytes). A hint: results never depend on it. The empty assembly keeps the compiler from taking a
// function that only prefetches for one without effect, and dropping its calls (GCC 12 does).
inline void prefetch_bytes(const void* begin, size_t bytes) {
  const auto* line = static_cast<const char*>(begin);
  for (size_t at = 0; at < bytes; at += kCacheLineBytes) {
    __builtin_prefetch(line + at);
    asm volatile("" : : "r"(line));
  }
}

}  // namespace segue
