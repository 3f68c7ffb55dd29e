// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/base/time.h"
#include "lib/profile/plan.h"
#include "lib/profile/profile.h"

namespace segue::codec {

// What a plan's indices are called; each list as long as the plan's list of ids.
struct ProfileNames {
  std::span<const std::string> stages;
  std::span<const std::string> definitions;
  std::span<const std::string> moves;
};

// Appends a profile as one JSON object without line break: every field, keys in a fixed order, numbers in their shortest exact form, absent times
// left out. Weights and vector are decayed to `as_of` (kNoTime: the profile's last_seen). It ends with page_hash, the hash of the page's bytes with
// user number 0: two profiles print alike only when their pages are alike. The keys are those of append_profile_json, in its order.
void append_profile_json(std::string_view user_id, const profile::Profile& profile, const profile::Plan& plan, const ProfileNames& names, Time as_of,
                         std::string& out);

}  // namespace segue::codec
