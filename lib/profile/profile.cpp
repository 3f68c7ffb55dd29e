// SPDX-License-Identifier: Apache-2.0
#include "lib/profile/profile.h"

#include <algorithm>

#include "lib/base/hash.h"
#include "lib/profile/decay.h"

namespace segue::profile {

void Profile::reset() {
  first_seen = last_seen = last_purchase = stage_since = erased_until = landmark = kNoTime;
  orders = 0;
  stage = 0;
  last_order = outputs = 0;
  spend = refunded = Money{};
  counts = {};
  last = filled_with_no_time();
  vector = {};
  event_ids.clear();
  event_ids_next = 0;
  recent.clear();
  tiles.clear();
  for (auto& table : interests) table.clear();
  cart.clear();
  traits.clear();
  members.reset();
  keyed_members.clear();
  left_segments.clear();
  past_moves.clear();
  deadline = kNever;
  holds_until.clear();
  for (auto& hashes : interest_hashes) hashes.clear();
}

const Interest* Profile::find_interest(Scope scope, uint64_t hash) const {
  for (const Interest& interest : interests[interest_index(scope)])
    if (interest.hash == hash) return &interest;
  return nullptr;
}

const Trait* Profile::find_trait(std::string_view name) const {
  for (const Trait& trait : traits)
    if (trait.name == name) return &trait;
  return nullptr;
}

bool remember_event(Profile& profile, std::string_view event_id) {
  const uint64_t id = hash64(event_id);
  auto& ids = profile.event_ids;
  // No early exit: almost every id is new, and the plain loop is vectorised.
  bool known = false;
  for (const uint64_t other : ids) known |= other == id;
  if (known) return false;
  if (ids.size() < kRememberedEvents) {
    if (ids.empty()) ids.reserve(8);
    ids.push_back(id);
  } else {
    ids[profile.event_ids_next] = id;
    profile.event_ids_next = static_cast<uint8_t>((profile.event_ids_next + 1) % kRememberedEvents);
  }
  return true;
}

double interest_weight(const Profile& profile, const Interest& interest, Time now, const Plan& plan) {
  return weight_at(interest.weight, now, profile.landmark, plan.half_life);
}

}  // namespace segue::profile
