// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace segue::engine {

enum class StartFrom : uint8_t { kOwnState, kSnapshot, kBeginning, kNothing };

// What a shard could start from. Positions are offsets of the input.
struct StartCandidates {
  uint64_t low_watermark = 0;              // the oldest record that the input still has
  std::optional<uint64_t> own_state;       // position of the state on this machine; empty: none
  std::optional<uint64_t> snapshot;        // of the newest that can be read; empty: none
  std::optional<uint64_t> first_position;  // where the first commit of the journal began; empty: the journal knows none
};

struct StartChoice {
  StartFrom from = StartFrom::kNothing;
  std::string reason;  // kNothing: why none would do
};

// A snapshot must be this much further than the state at hand to be worth copying: about three seconds of replay.
inline constexpr uint64_t kWorthASnapshot = 2'000'000;

// Which is valid, the log having every record since, and newest.
StartChoice choose_start(const StartCandidates& candidates);

}  // namespace segue::engine
