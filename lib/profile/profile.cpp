// SPDX-License-Identifier: Apache-2.0
#include "lib/profile/profile.h"

#include <algorithm>

#include "lib/base/hash.h"
#include "lib/profile/decay.h"

namespace segue::profile {
namespace {

// From this number of ids on a profile has their marks. Most users have fewer, and do without the memory.
constexpr size_t kMarkedEvents = 16;

constexpr uint16_t mark_of(uint64_t id) { return static_cast<uint16_t>(id); }

// False: the id is certainly not among the profile's.
bool may_know(Profile& profile, uint64_t id) {
  const auto& ids = profile.event_ids;
  auto& marks = profile.event_marks;
  if (ids.size() < kMarkedEvents) return !ids.empty();
  if (marks.empty()) {
    marks.resize(kRememberedEvents);
    std::transform(ids.begin(), ids.end(), marks.begin(), mark_of);
  }
  // No early exit and a fixed number of steps, so that the loop is vectorised.
  const uint16_t* mark = marks.data();
  uint16_t found = 0;
  for (size_t i = 0; i < kRememberedEvents; ++i) found |= static_cast<uint16_t>(mark[i] == mark_of(id));
  return found != 0;
}

}  // namespace

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
  for (auto& list : interest_lists) list.clear();
  event_marks.clear();
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
  if (may_know(profile, id) && std::find(ids.begin(), ids.end(), id) != ids.end()) return false;
  size_t place = profile.event_ids_next;
  if (ids.size() < kRememberedEvents) {
    place = ids.size();
    if (ids.empty()) ids.reserve(8);
    ids.push_back(id);
  } else {
    ids[place] = id;
    profile.event_ids_next = static_cast<uint8_t>((place + 1) % kRememberedEvents);
  }
  if (!profile.event_marks.empty()) profile.event_marks[place] = mark_of(id);
  return true;
}

double interest_weight(const Profile& profile, const Interest& interest, Time now, const Plan& plan) {
  return weight_at(interest.weight, now, profile.landmark, plan.half_life);
}

}  // namespace segue::profile
