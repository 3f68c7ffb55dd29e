// SPDX-License-Identifier: Apache-2.0
// Bodies of tracking calls: whatever the bytes, what comes out passes the engine's decoder and is the same event there.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/codec/event_decoder.h"
#include "lib/codec/event_json.h"
#include "lib/codec/tracking_call.h"
#include "lib/event/event.h"

namespace {

using namespace segue;

void demand(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

// The first byte says by which route the rest came.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static codec::TrackingDecoder decoder({});
  static codec::EventDecoder canonical;
  if (size == 0) return 0;
  const size_t route = data[0] % 7;
  const auto kind = route == 0 ? std::nullopt : std::optional(static_cast<codec::CallKind>(route - 1));
  const Time received = time_from_ms(1'795'289'945'000);
  if (!decoder.open({reinterpret_cast<const char*>(data) + 1, size - 1}, kind, received)) return 0;
  Arena arena;
  event::Event event;
  uint64_t events = 0;
  while (decoder.next(event)) {
    ++events;
    std::string line;
    codec::append_json(event, line);
    std::string padded = line + std::string(codec::EventDecoder::kPadding, ' ');
    event::Event again;
    demand(!canonical.decode({padded.data(), line.size()}, kNoTime, arena, again));
    std::string written;
    codec::append_json(again, written);
    demand(written == line);
  }
  uint64_t skipped = 0;
  for (const uint64_t count : decoder.counts().skipped) skipped += count;
  demand(kind ? events + skipped == 1 : events + skipped <= size);
  return 0;
}
