// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/base/position.h"
#include "lib/base/time.h"
#include "lib/event/event.h"
#include "lib/event/reject_reason.h"

namespace segue::pipeline {

// A stretch of a log, decoded once for all the shards that share the log's users. Bytes and arena belong to whoever made it.
struct DecodedChunk {
  struct Record {
    event::Event event;
    Position at;          // before the record
    Time high = kNoTime;  // largest ts of the chunk's events up to and including this one
  };
  struct Reject {
    Position at;
    event::RejectReason reason = event::RejectReason::kInvalidJson;
    std::string_view raw;
    std::string_view key = {};  // of the record, where the log has keys
  };

  Position begin;
  Position end;
  Time high = kNoTime;                        // of all its events; kNoTime when there is none
  std::vector<Record> records;                // usable ones, in log order
  std::vector<std::vector<uint32_t>> shares;  // by shard: indices of its users' records
  std::vector<Reject> rejects;                // in log order; the first shard tells them

  void clear() {
    high = kNoTime;
    records.clear();
    for (auto& share : shares) share.clear();
    rejects.clear();
  }
};

}  // namespace segue::pipeline
