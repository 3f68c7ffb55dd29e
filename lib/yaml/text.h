// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace segue::yaml {

// A line and column of a text, both from 1; columns count characters.
struct TextPlace {
  int line = 1;
  int column = 1;
};
TextPlace place_at(std::string_view text, size_t offset);

// Whether bytes are UTF-8 without control characters but tab and line ends: what yaml-cpp reads as it stands.
bool is_clean_text(std::string_view bytes);

}  // namespace segue::yaml
