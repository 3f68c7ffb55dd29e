// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/position.h"
#include "lib/base/result.h"
#include "lib/base/time.h"

namespace segue::rocks {

// What a checkpoint covers, as its meta says.
struct SnapshotInfo {
  Position position;        // of the next record of the log
  uint64_t sequence = 0;    // of the last commit that it contains
  std::string definitions;  // hash of those in force
  std::string program;      // version

  friend bool operator==(const SnapshotInfo&, const SnapshotInfo&) = default;
};

// What a snapshot says of itself (docs/formats/snapshot.md).
struct SnapshotRecord {
  uint64_t checkpoint = 0;  // its number
  SnapshotInfo info;
  Time made_at{};          // by the machine's clock
  uint64_t meta_hash = 0;  // hash64 of the value of key "m"

  friend bool operator==(const SnapshotRecord&, const SnapshotRecord&) = default;
};

std::string encode_snapshot_record(const SnapshotRecord& record);
// kData when the bytes are damaged or of a later version.
Result<SnapshotRecord> decode_snapshot_record(std::string_view bytes);

}  // namespace segue::rocks
