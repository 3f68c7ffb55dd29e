// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace segue::config {

// Digits only.
std::optional<uint64_t> parse_count(std::string_view text);
// Bytes: digits, alone or with KiB, MiB, GiB or TiB.
std::optional<uint64_t> parse_size(std::string_view text);
// Milliseconds: digits with ms, s, m, h or d. A number alone is refused: of what?
std::optional<uint64_t> parse_duration(std::string_view text);

// In the largest unit that gives a whole number: "8MiB", "1000".
std::string print_size(uint64_t bytes);
std::string print_duration(uint64_t ms);

// Insertions, deletions, exchanges and swaps of neighbours between two words.
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace segue::config
