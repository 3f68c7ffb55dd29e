// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "lib/base/arena.h"
#include "lib/codec/event_checks.h"
#include "lib/codec/json_text.h"

namespace segue::codec {

// For each field of an object the one that came behind it last time: the records of one producer have their fields in one order, and a right
// guess costs one comparison. It only saves time.
using FieldOrder = std::array<uint8_t, 32>;

using DecodeResult = tl::expected<event::Event, event::RejectReason>;

// Turns canonical JSON into events (docs/formats/event.md): accepts exactly what a strict parser accepts, and gives every other record its one
// reason. One per thread, reusable; nothing is allocated per event in the steady state.
class EventDecoder {
 public:
  // Bytes that must be readable behind a line; their values do not matter.
  static constexpr size_t kPadding = 64;

  explicit EventDecoder(DecodeOptions options = {}) : options_(options) {}

  // Decodes one record without its newline. `appended_at` is when the log took it, kNoTime where it does not say. The event's strings lie in
  // `line` or in `arena` and live as long as both. After a rejection `event` holds nothing of use.
  [[nodiscard]] Rejection decode(std::string_view line, Time appended_at, Arena& arena, event::Event& event);
  // The same for callers that are not in a hurry.
  [[nodiscard]] DecodeResult decode(std::string_view line, Time appended_at, Arena& arena);

  // Optional: finds the tokens of many lines at once (37 instead of 50 ns a record for that part, measured on an idle machine). Then decode() must
  // be called for lines of `lines` in ascending order (leaving some out is allowed), and `lines` stays in place and unchanged until the next
  // call. It holds whole lines, each but the last ended by a newline, and is best 16 to 64 KiB long. Any other line is decoded by itself and
  // does no harm. Results never depend on it.
  void index_lines(std::string_view lines);

 private:
  Rejection decode_alone(std::string_view line, Time appended_at, Arena& arena, event::Event& event);

  DecodeOptions options_;
  FieldOrder order_{};
  FieldOrder item_order_{};
  JsonIndex line_index_;
  JsonIndex block_index_;
  std::string_view block_;    // what index_lines() found tokens in; empty where it found them broken
  uint32_t block_token_ = 0;  // the next line's tokens begin here or later
  bool block_has_escapes_ = false;
  std::string copy_;  // a record that is not an object, in brackets
};

}  // namespace segue::codec
