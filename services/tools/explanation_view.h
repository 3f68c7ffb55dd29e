// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "services/tools/profile_view.h"

namespace segue::tools {

// What happened to a user, in order: read from the outputs (all of it) or from the page (the last moves).
struct PastOutput {
  uint64_t n = 0;
  std::string type;  // as in transitions: move, entered, …
  std::string name;
  std::string key;
  std::string from;
  std::string to;
  Time at = kNoTime;
  std::string cause;
  std::string event_id;
};

// The moves that the page remembers.
std::vector<PastOutput> remembered_moves(const ProfileView& view);

// The user's way so far, each step with its cause and, where the page still has them, the compared values; then what would happen next if the user
// did nothing, and what would move the user on.
std::string explanation_text(const ProfileView& view, const std::vector<PastOutput>& past, const LocalClock& clock, const Terminal& terminal);
// The same as one JSON object without line break.
std::string explanation_json(const ProfileView& view, const std::vector<PastOutput>& past, const LocalClock& clock);

}  // namespace segue::tools
