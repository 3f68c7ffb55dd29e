// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "lib/base/arena.h"
#include "lib/codec/json_text.h"

namespace segue::codec {

inline constexpr uint32_t kNoToken = ~uint32_t{0};

template <size_t kFields>
using FieldNames = std::array<std::string_view, kFields>;
// The token where each field's value begins; 0 where the object has none (a value is never the first token).
template <size_t kFields>
using FoundMembers = std::array<uint32_t, kFields>;

// Calls `visit(name, value token)` for each member of the object that begins at `token`. Requires that JsonText::is_valid() has proved the text.
template <class Visit>
void for_each_member(const JsonText& text, uint32_t token, Arena& arena, Visit&& visit) {
  if (text.first(token + 1) == '}') return;
  do {
    const std::string_view name = text.string(token + 1, arena);
    const uint32_t value = token + 3;
    token = text.opens_container(value) ? text.skip(value, 1) : value + 1;
    visit(name, value);
  } while (text.first(token) == ',');
}

// The values of an object's known members; of a name that is given twice the last. The same requirement.
template <size_t kFields>
FoundMembers<kFields> find_members(const JsonText& text, uint32_t token, const FieldNames<kFields>& names, Arena& arena) {
  FoundMembers<kFields> found{};
  for_each_member(text, token, arena, [&](std::string_view name, uint32_t value) {
    for (size_t i = 0; i < kFields; ++i) {
      if (names[i] != name) continue;
      found[i] = value;
      break;
    }
  });
  return found;
}

}  // namespace segue::codec
