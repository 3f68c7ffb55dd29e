// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/arena.h"
#include "lib/base/result.h"
#include "lib/base/time.h"
#include "lib/codec/json_text.h"

namespace segue::tools {

// One line of transitions/*.ndjson (docs/formats/outputs.md). Fields that the line has not are empty.
struct TransitionLine {
  std::string_view user_id;
  uint64_t n = 0;
  std::string_view type;  // move, entered, left, tagged, untagged, erased
  std::string_view name;
  std::string_view key;
  std::string_view from;
  std::string_view to;
  Time at = kNoTime;
  std::string_view cause;  // event, timer, definitions
  std::string_view event_id;
};

// Reads lines; one object for many. Unknown fields are passed over.
class TransitionReader {
 public:
  // Views point into `line` and the reader, and are valid until the next call. kData when it is no such line.
  Result<TransitionLine> read(std::string_view line);

 private:
  codec::JsonIndex index_;
  Arena arena_;
  std::string copy_;  // the line with the bytes behind it that the index wants to read
};

}  // namespace segue::tools
