// SPDX-License-Identifier: Apache-2.0
#include "services/engine/endpoints.h"

#include <algorithm>

#include "lib/codec/json_writer.h"

namespace segue::engine {

bool is_ready(const EngineView& view) {
  if (view.phase != EnginePhase::kRunning || !view.joined) return false;
  return std::all_of(view.partitions.begin(), view.partitions.end(), [](const PartitionStatus& partition) {
    return partition.state == PartitionState::kRunning || partition.state == PartitionState::kFollowing;
  });
}

std::string readiness_json(const EngineView& view) {
  std::string out;
  codec::JsonWriter json(out);
  json.begin_object();
  json.name("ready"), json.boolean(is_ready(view));
  json.name("instance"), json.string(view.instance);
  json.name("state"), json.string(kEnginePhaseNames[static_cast<size_t>(view.phase)]);
  if (!view.joined) json.name("waits_for"), json.string(view.waits_for);
  if (view.clock_jump > Duration(0))
    json.name("clock"), json.string("the host's clock has jumped ahead by " + std::to_string(view.clock_jump.count() / 1000) + " s: timers wait");
  json.name("partitions"), json.begin_array();
  for (const PartitionStatus& partition : view.partitions) {
    json.begin_object();
    json.name("partition"), json.integer(partition.partition);
    json.name("state"), json.string(name(partition.state));
    json.name("reason"), json.string(partition.reason);
    json.name("position"), json.integer(static_cast<int64_t>(partition.position));
    if (partition.high_watermark) json.name("high_watermark"), json.integer(static_cast<int64_t>(*partition.high_watermark));
    json.name("commit"), json.integer(static_cast<int64_t>(partition.commit));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

}  // namespace segue::engine
