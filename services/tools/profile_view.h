// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "lib/profile/profile.h"
#include "lib/segment/definitions.h"
#include "services/tools/terminal.h"
#include "services/tools/wording.h"

namespace segue::tools {

// A profile as it is looked at: `now` is its shard's clock.
struct ProfileView {
  std::string_view user_id;
  const profile::Profile& profile;
  const segment::Definitions& definitions;
  Time now = kNoTime;
};

// The profile in words and bars.
std::string profile_text(const ProfileView& view, const LocalClock& clock, const Terminal& terminal);

// One line of JSON without its line break: codec::append_profile_json with "tags" added. Weights are as of the user's last event, so that the line
// does not depend on how far the shard's clock has come.
void append_profile_line(std::string_view user_id, const profile::Profile& profile, const segment::Definitions& definitions, std::string& out);

}  // namespace segue::tools
