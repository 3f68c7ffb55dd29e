// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/base/money.h"
#include "lib/base/time.h"
#include "lib/event/event.h"
#include "lib/profile/interest_list.h"
#include "lib/profile/plan.h"

namespace segue::profile {

inline constexpr size_t kVectorSize = 64;        // dimensions of the interest vector
inline constexpr size_t kRememberedEvents = 64;  // event ids remembered for duplicates
inline constexpr size_t kMaxCart = 16;
inline constexpr size_t kMaxTraits = 64;  // names remembered; the one stated longest ago leaves
inline constexpr size_t kMaxPastMoves = 8;
inline constexpr size_t kMaxCompared = 4;  // values kept of the condition that decided a move
inline constexpr size_t kMaxKeyed = 256;   // keyed memberships of one user; definitions that could need more are refused

// What a user did with one category, brand or item.
struct Interest {
  uint64_t hash = 0;                    // name_hash(name)
  double weight = 0;                    // against Profile::landmark (decay.h)
  Time last_seen = kNoTime;             // largest ts
  Time first_purchase = kNoTime;        // smallest ts of a purchase
  Time last_purchase = kNoTime;         // largest ts of a purchase
  std::array<uint32_t, 4> counts = {};  // views, clicks, carts, purchases since it is remembered (interest_count)
  std::string name;                     // UTF-8
  std::vector<Time> recent;             // Plan::keyed_slots times, each window's in descending order, kNoTime where unused
};

// The place of a type in Interest::counts; -1 for a type that leaves no trace there.
constexpr int interest_count(event::EventType type) {
  switch (type) {
    case event::EventType::kView:
      return 0;
    case event::EventType::kClick:
      return 1;
    case event::EventType::kCart:
      return 2;
    case event::EventType::kPurchase:
      return 3;
    default:
      return -1;
  }
}

struct CartLine {
  uint64_t hash = 0;  // name_hash(item_id)
  Time added = kNoTime;
  std::string item_id;
};

using TraitValue = std::variant<bool, double, std::string>;
struct Trait {
  std::string name;
  TraitValue value;
  Time stated = kNoTime;  // ts of the identify; an older one does not overwrite
};

// The part of a tiled window that falls into [index x width, (index + 1) x width).
struct Tile {
  uint16_t window = 0;  // index into Plan::windows
  int64_t index = 0;
  uint32_t count = 0;
  Money sum;  // of event totals
};

struct KeyedMember {
  uint16_t definition = 0;  // index into Plan::definition_ids
  uint64_t key_hash = 0;
  std::string key;  // category, brand or item
};

// When the user last left a segment whose re-entry is limited.
struct LeftSegment {
  uint16_t definition = 0;  // index into Plan::definition_ids
  Time at = kNoTime;
};

enum class Cause : uint8_t { kEvent, kTimer, kDefinitions };

// A lifecycle move as remembered for an explanation.
struct PastMove {
  uint64_t n = 0;  // number of the output that told it; 0 when none did
  Time at = kNoTime;
  uint16_t move = 0;  // index into Plan::move_ids
  uint8_t from = 0;   // indices into Plan::stage_ids
  uint8_t to = 0;
  Cause cause = Cause::kEvent;
  uint8_t compared_count = 0;
  std::array<double, kMaxCompared> compared = {};  // left-hand values in the order of the text; times and durations in ms
  std::string event_id;                            // cause kEvent
};

// All that is known of one user. Every field but the derived ones goes into the page (docs/formats/page.md). What nearly every event reads comes
// first, up to `vector`: that is what is asked for ahead of its use (ProfileCache::prefetch).
struct Profile {
  Time first_seen = kNoTime;     // smallest ts
  Time last_seen = kNoTime;      // largest ts
  Time last_purchase = kNoTime;  // largest ts of a purchase
  Time stage_since = kNoTime;    // `at` of the last move
  Time erased_until = kNoTime;   // this user was erased before and came back: events up to here are not taken again
  Time landmark = kNoTime;       // of all decayed weights; kNoTime before the first
  uint64_t outputs = 0;          // n: outputs told about this user so far
  uint32_t orders = 0;           // consecutive purchases with one order_id are one order
  uint8_t stage = 0;             // index into Plan::stage_ids
  uint8_t event_ids_next = 0;    // place in event_ids of the oldest, once full

  // Derived: the one timer (kNever for none), and for each definition until when its value holds (empty: not known); then one for the lifecycle,
  // then those of the keys (lib/segment/program.h).
  Time deadline = kNever;
  std::vector<Time> holds_until;
  // Derived: for long tables of `interests`. Kept by apply(); of another size than the table (most users', and after a page was read): not known.
  std::array<InterestList, kInterestScopes> interest_lists;
  // Derived: the low 16 bits of `event_ids`, zeros behind: two cache lines tell of nearly every id that it is new. Kept by remember_event() for many
  // ids; empty: not known.
  std::vector<uint16_t> event_marks;

  // Memory of events
  std::vector<uint64_t> event_ids;  // hash64 of the last event ids, a ring once it is full
  std::vector<Time> recent;         // Plan::recent_slots times of user windows
  // Interests, by interest_index(Scope): category, brand, item. In the order of arrival; a newcomer takes the place of the one that leaves.
  std::array<std::vector<Interest>, kInterestScopes> interests;
  std::vector<KeyedMember> keyed_members;  // by (definition, arrival)
  std::array<uint32_t, event::kEventTypes> counts = {};
  std::array<Time, event::kEventTypes> last = filled_with_no_time();  // largest ts by type
  std::array<float, kVectorSize> vector = {};                         // against the landmark

  // What few events need.
  uint64_t last_order = 0;  // hash64 of the last purchase's order_id; 0 for none
  Money spend;              // of purchases
  Money refunded;
  std::vector<Tile> tiles;     // by (window, index)
  std::vector<CartLine> cart;  // oldest first
  std::vector<Trait> traits;   // in the order of first statement
  std::bitset<kMaxDefinitions> members;
  std::vector<LeftSegment> left_segments;  // by definition; at most one each
  std::vector<PastMove> past_moves;        // oldest first

  static constexpr std::array<Time, event::kEventTypes> filled_with_no_time() {
    std::array<Time, event::kEventTypes> times;
    times.fill(kNoTime);
    return times;
  }
  // As new, with the capacity of its lists kept.
  void reset();

  const Interest* find_interest(Scope scope, uint64_t hash) const;
  const Trait* find_trait(std::string_view name) const;
};

// True, and remembers the id, when this user has not had it among the last kRememberedEvents.
bool remember_event(Profile& profile, std::string_view event_id);

// Takes an event into counters, money, windows, interests, vector, cart and traits. Neither stage nor memberships change. Not for delete.
void apply(Profile& profile, const event::Event& event, const Plan& plan);

// Current worth of an interest.
double interest_weight(const Profile& profile, const Interest& interest, Time now, const Plan& plan);

}  // namespace segue::profile
