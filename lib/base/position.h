// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace segue {

// A place between two records of one log partition. In a file: bytes (of the uncompressed text) and lines before it, over all files of the
// log in their order. In Kafka (later): the offset in both.
struct Position {
  uint64_t offset = 0;
  uint64_t line = 0;

  friend constexpr auto operator<=>(const Position&, const Position&) = default;
};

}  // namespace segue
