// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/time.h"
#include "lib/event/reject_reason.h"

namespace segue::pipeline {

// What one commit tells the world, in order: whole lines (docs/formats/outputs.md), and beside each what a record of a broker needs besides. Entry
// i's bytes lie between the ends of entry i-1 and its own.
struct Outputs {
  struct Transition {
    size_t line_end = 0;     // in transition_lines, the newline included
    size_t user_id_end = 0;  // in user_ids
    uint64_t n = 0;
    Time at = kNoTime;
    std::string_view type;  // as in the line; of static duration
  };
  struct DeadLetter {
    size_t line_end = 0;  // in dead_letter_lines
    size_t raw_end = 0;   // in raw_records
    size_t key_end = 0;   // in raw_keys
    uint64_t offset = 0;  // of the record in its log
    event::RejectReason reason = event::RejectReason::kInvalidJson;
  };

  std::vector<Transition> transitions;
  std::string transition_lines;
  std::string user_ids;
  std::vector<DeadLetter> dead_letters;
  std::string dead_letter_lines;
  std::string raw_records;  // as they were
  std::string raw_keys;     // of the records, where the log has keys

  bool empty() const { return transitions.empty() && dead_letters.empty(); }
  size_t count() const { return transitions.size() + dead_letters.size(); }
  size_t bytes() const { return transition_lines.size() + dead_letter_lines.size(); }
  // Keeps the memory.
  void clear() {
    transitions.clear(), transition_lines.clear(), user_ids.clear();
    dead_letters.clear(), dead_letter_lines.clear(), raw_records.clear(), raw_keys.clear();
  }
};

}  // namespace segue::pipeline
