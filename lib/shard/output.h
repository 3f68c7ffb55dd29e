// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "lib/base/time.h"
#include "lib/profile/profile.h"
#include "lib/segment/definitions.h"

namespace segue::shard {

// What is told about a user, in the order of telling: a change of stage, segment or tag, or that the user was erased. (user_id, n) is its id, the
// same in every replay. The views are valid during the call that hands it over.
struct Output {
  std::string_view user_id;
  uint64_t n = 0;                             // 1, 2, … for this user
  const segment::Change* change = nullptr;    // null: erased
  Time at = kNoTime;                          // the event's ts, or the timer's deadline
  std::string_view event_id;                  // the cause when it is an event; empty for a timer
  const profile::Profile* profile = nullptr;  // after the change; null: erased
};

// Takes outputs as they happen.
class OutputSink {
 public:
  OutputSink() = default;
  OutputSink(const OutputSink&) = delete;
  OutputSink& operator=(const OutputSink&) = delete;
  virtual ~OutputSink() = default;

  virtual void take(const Output& output) = 0;
};

}  // namespace segue::shard
