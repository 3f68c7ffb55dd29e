// SPDX-License-Identifier: Apache-2.0
#include "services/engine/start_choice.h"

namespace segue::engine {

StartChoice choose_start(const StartCandidates& candidates) {
  const auto covered = [&](const std::optional<uint64_t>& position) { return position && *position >= candidates.low_watermark; };
  if (covered(candidates.own_state)) {
    const bool far_behind = covered(candidates.snapshot) && *candidates.snapshot > *candidates.own_state + kWorthASnapshot;
    return {far_behind ? StartFrom::kSnapshot : StartFrom::kOwnState, {}};
  }
  if (covered(candidates.snapshot)) return {StartFrom::kSnapshot, {}};
  // A shard that has never committed begins wherever its log does.
  if (!candidates.first_position || covered(candidates.first_position)) return {StartFrom::kBeginning, {}};
  std::string reason = "the input begins at " + std::to_string(candidates.low_watermark) + ", and nothing to start from reaches that far: ";
  const auto tell = [&](const char* what, const std::optional<uint64_t>& position) {
    reason += std::string(what) + (position ? " stands at " + std::to_string(*position) : std::string(" is missing"));
  };
  tell("the state of this machine", candidates.own_state);
  tell(", the newest snapshot", candidates.snapshot);
  reason += ", the shard's first commit began at " + std::to_string(*candidates.first_position);
  return {StartFrom::kNothing, reason};
}

}  // namespace segue::engine
