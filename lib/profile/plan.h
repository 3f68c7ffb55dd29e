// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lib/base/time.h"
#include "lib/event/event_type.h"

namespace segue::profile {

// What a count, sum or keyed segment is kept for: the user as a whole, or each of the user's remembered categories, brands or items.
enum class Scope : uint8_t { kUser, kCategory, kBrand, kItem };
inline constexpr size_t kInterestScopes = 3;  // category, brand, item
constexpr size_t interest_index(Scope scope) { return static_cast<size_t>(scope) - 1; }

// A windowed measure that definitions ask for. Two ways to keep it: the last few times, exact, where the definitions only compare a count
// with small numbers; else tiles of fixed width, where an event leaves when its whole tile has left.
struct Window {
  uint64_t id = 0;  // name_hash of its canonical text: finds it in a page
  event::EventType type = event::EventType::kView;
  Scope scope = Scope::kUser;
  Duration length{0};
  uint16_t keep = 0;       // > 0: the `keep` latest times are kept; 0: tiles
  uint16_t slot = 0;       // keep > 0: first of its places in Profile::recent (user) or in an interest's `recent` (keyed)
  Duration tile_width{0};  // tiles only (user scope only)
};

// At most this many latest times a window; larger thresholds use tiles.
inline constexpr uint16_t kMaxKeep = 32;
// At most this many tiles in a window.
inline constexpr int64_t kMaxTiles = 400;

// The smallest of 1, 5, 15 min, 1, 3, 6, 12 h, 1, 7, 28 d that needs at most kMaxTiles for `length`.
Duration tile_width_for(Duration length);

// What every profile keeps because the definitions in force use it. Compiled from definitions; fixed while they are in force.
struct Plan {
  Duration half_life = std::chrono::days{7};                                   // of affinities and the interest vector, in event time
  Duration lateness = std::chrono::seconds{30};                                // the clock is the largest event time less this
  std::array<double, event::kEventTypes> weights = {1, 0, 2, 5, 0, 0, 0, 10};  // of view, click, cart and purchase for interest; 0: no trace
  std::array<uint16_t, kInterestScopes> interest_size = {16, 16, 16};          // most entries kept; 0 keeps none
  std::vector<Window> windows;
  uint16_t recent_slots = 0;                               // times of all user windows with keep > 0
  std::array<uint16_t, kInterestScopes> keyed_slots = {};  // the same for one interest entry, by scope
  // Stable names (name_hash) of what a profile refers to by index, so that a page outlives a change of definitions.
  std::vector<uint64_t> stage_ids;
  std::vector<uint64_t> definition_ids;  // segments, keyed segments and tags; index = position in the file
  std::vector<uint64_t> move_ids;        // lifecycle moves
};

// At most this many segments and tags together in one file.
inline constexpr size_t kMaxDefinitions = 256;
inline constexpr size_t kMaxStages = 64;

}  // namespace segue::profile
