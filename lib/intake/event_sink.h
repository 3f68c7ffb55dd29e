// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "lib/base/result.h"

namespace segue::intake {

// One event on its way into the log.
struct SinkRecord {
  std::string_view user_id;
  std::string_view line;  // canonical JSON (docs/formats/event.md) without a newline
};

enum class Admission : uint8_t {
  kTaken,    // the completion will be called, once
  kFull,     // too much waits already: nothing was taken, come again
  kStopped,  // it takes nothing any more
};

// Port: where events go to become safe, that is to survive the death of this process. Records of one user keep their order, from one submit() to the
// next too.
class EventSink {
 public:
  // Called once, on any thread, also inside submit(). After an error some of the records may be there all the same: submitting them again makes
  // duplicates that the shard drops by their event_id. kRetry: later may do.
  using Completion = std::function<void(const Result<>& result)>;

  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;
  // Every completion has been called.
  virtual ~EventSink() = default;

  // From any thread. Takes all records or none; never waits for a disk or a broker. The records are copied.
  virtual Admission submit(std::span<const SinkRecord> records, Completion done) = 0;
};

}  // namespace segue::intake
