// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/intake/event_sink.h"
#include "lib/segment/definitions.h"
#include "lib/serving/shard_directory.h"
#include "lib/serving/transition_feed.h"

namespace segue::api {

class Neighbours;

// What a preview found: who would stand where under a draft (docs/api.md).
struct PreviewResult {
  struct Sides {
    std::string name;
    uint64_t in_force = 0;
    uint64_t draft = 0;
  };
  struct Flow {
    std::string in_force;
    std::string draft;
    uint64_t users = 0;
  };
  struct Sample {
    std::string user_id;
    std::string in_force;
    std::string draft;
  };
  int64_t as_of_ms = -1;  // negative: there was no event
  std::string in_force;   // hashes
  std::string draft;
  uint64_t users = 0;
  uint64_t users_in_another_stage = 0;
  std::vector<Flow> flow;
  std::vector<Sides> stages;
  std::vector<Sides> moves;
  std::vector<Sides> segments;
  std::vector<Sides> tags;
  std::vector<Sample> samples;
};
inline constexpr size_t kMaxSamples = 20;

// How far a preview is, written by its thread; `cancel` by others.
struct PreviewProgress {
  std::atomic<uint64_t> events{0};
  std::atomic<double> part{0};  // 0 to 1
  std::atomic<bool> cancel{false};
};

// Another instance with an API, as it told of itself.
struct KnownInstance {
  std::string instance;
  std::string address;
  std::vector<int32_t> partitions;
  int64_t at_ms = 0;
};
// This one among the others.
struct InstanceView {
  std::string address;  // where others reach it; empty: they do not
  std::string trouble;  // why it does not find the others; empty: it does
  std::vector<KnownInstance> others;
};

enum class Mode : uint8_t { kEmbedded, kEngine, kApi };

// What the API stands on. All of it outlives the API, and may be called from any thread; what is empty or null is not to be had in this mode.
struct Surroundings {
  using Definitions = std::shared_ptr<const segment::Definitions>;

  serving::ShardDirectory& directory;
  serving::TransitionFeed& feed;
  Mode mode = Mode::kEmbedded;
  std::string instance;
  std::string version;
  // Those that are to be in force.
  std::function<Definitions()> definitions;
  std::function<Result<>(Definitions)> put_definitions;
  // May take minutes; on a thread of its own.
  std::function<Result<PreviewResult>(Definitions draft, PreviewProgress& progress)> preview;
  // Takes the delete events.
  intake::EventSink* sink = nullptr;
  // Where the partition's log ends, as last seen.
  std::function<std::optional<uint64_t>(int32_t partition)> log_end;
  // The newest dead letters of a partition as lines of docs/formats/outputs.md, the last one last; may read files.
  std::function<Result<std::vector<std::string>>(int32_t partition, size_t limit, std::string_view reason)> dead_letters;
  // Who else has an API.
  std::function<InstanceView()> instances;
  // Asks them; the API's own, set by it.
  Neighbours* neighbours = nullptr;
};

}  // namespace segue::api
