// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lib/base/arena.h"
#include "lib/codec/event_checks.h"

namespace segue::v1 {
class Event;
}

namespace segue::codec {

// Turns segue.v1.Event messages (proto/segue/v1/event.proto) into events, by the same rules as JSON (docs/formats/event.md). One per thread,
// reusable: the message and its strings are kept.
class EventProtobufDecoder {
 public:
  explicit EventProtobufDecoder(DecodeOptions options = {});
  ~EventProtobufDecoder();

  // Decodes one record. `appended_at` is when the log took it, or kNoTime. The event's strings lie in `arena` and live as long.
  // After a rejection `event` holds nothing of use.
  [[nodiscard]] Rejection decode(std::string_view bytes, Time appended_at, Arena& arena, event::Event& event);

 private:
  DecodeOptions options_;
  std::unique_ptr<v1::Event> message_;
};

// Appends the event as a segue.v1.Event. Decoding it gives the same event.
void append_protobuf(const event::Event& event, std::string& out);

}  // namespace segue::codec
