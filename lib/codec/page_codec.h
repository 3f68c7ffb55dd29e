// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/base/time.h"
#include "lib/profile/plan.h"
#include "lib/profile/profile.h"

// A user's profile as stored. Layout and rules of change in docs/formats/page.md.
namespace segue::codec {

// What a restart needs of every page: read from fixed places without decoding the rest.
struct PageHeader {
  uint32_t user_number = 0;  // the user's dense number in his shard
  Time deadline = kNever;    // of his one timer
  uint32_t stage_id = 0;     // low half of the stage's id
};

// How a page names a stage, move, definition or window: parsed definitions have no two of a kind with the same one.
constexpr uint32_t page_id(uint64_t id) { return static_cast<uint32_t>(id); }

// Appends the page. Requires that the profile's indices and lists of times are those of `plan`.
void encode_page(const profile::Profile& profile, uint32_t user_number, const profile::Plan& plan, std::string& out);

// kData when the page is too short or of another version.
Result<PageHeader> read_page_header(std::string_view page);

// Makes `into` the page's profile under `plan`; what it held is forgotten, its memory used again. kData for malformed bytes, which leave `into`
// valid but unspecified. holds_until is left empty.
Result<> decode_page(std::string_view page, const profile::Plan& plan, profile::Profile& into);

}  // namespace segue::codec
