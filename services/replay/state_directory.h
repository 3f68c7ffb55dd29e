// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/filelog/file_system.h"
#include "lib/segment/definitions.h"

namespace segue::replay {

// What a state directory is and where its parts are (docs/formats/state-directory.md). Written once, when the directory is made.
struct StateDirectory {
  std::string path;
  std::vector<std::string> logs;  // absolute paths, in the order of reading
  bool partitioned = false;       // each log is a partition with one shard; else all are one log whose users are split over `shards`
  size_t shards = 1;
  std::shared_ptr<const segment::Definitions> definitions;
  std::array<uint8_t, 16> erasure_key = {};

  // kUsage when there is none; kData when it is damaged.
  static Result<StateDirectory> read(filelog::FileSystem& files, const std::string& path);
  // Writes `wanted` where the directory has none yet, with a new erasure key; else returns the stored one, which must be the same but for the
  // definitions: null means those stored, or the default; others replace them. kUsage otherwise. Requires DIR/LOCK.
  static Result<StateDirectory> create_or_read(filelog::FileSystem& files, const StateDirectory& wanted);

  std::string shard_name(size_t shard) const { return "shard-" + std::to_string(shard); }
  std::string state_path(size_t shard) const { return path + "/state/" + shard_name(shard); }
  // Which shard has a user of the one log. A partitioned directory may have the user in any.
  size_t shard_of(std::string_view user_id) const;
};

// The share of `shards` that a user falls to: whole key groups, in order.
size_t share_of(std::string_view user_id, size_t shards);

}  // namespace segue::replay
