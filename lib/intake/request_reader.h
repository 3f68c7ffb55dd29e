// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/arena.h"
#include "lib/codec/event_decoder.h"
#include "lib/codec/tracking_call.h"
#include "lib/event/reject_reason.h"
#include "lib/intake/event_sink.h"

namespace segue::intake {

// A canonical line that cannot be used.
struct RejectedLine {
  uint64_t line = 0;  // from 1
  event::RejectReason reason = event::RejectReason::kInvalidJson;
};

// What came of one request.
struct IntakeBatch {
  static constexpr size_t kToldRejects = 100;

  std::span<const SinkRecord> records;
  std::array<uint64_t, event::kEventTypes> accepted{};  // by type
  codec::TrackingCounts calls;
  std::array<uint64_t, event::kRejectReasons> rejected{};
  std::vector<RejectedLine> told;  // the first kToldRejects of the rejected ones
  std::string_view write_key;      // the body's, where it has one
};

// Reads bodies. One per thread, reusable: a batch and its records live until the next read.
class RequestReader {
 public:
  explicit RequestReader(codec::TrackingOptions options) : calls_(std::move(options)) {}

  // One tracking call of a kind, or a batch of them. kData: what is wrong with the body; then there are no records.
  Result<> read_calls(std::string_view body, std::optional<codec::CallKind> kind, Time received_at);
  // Canonical events, one a line.
  void read_events(std::string_view body, Time received_at);

  const IntakeBatch& batch() const { return batch_; }

 private:
  void clear();
  void reject(uint64_t line, event::RejectReason reason);
  // False when the event's line would be too long.
  bool add(const event::Event& event);
  void finish();

  codec::TrackingDecoder calls_;
  codec::EventDecoder decoder_{{.check_future = false}};  // a line's own received_at does not count
  Arena arena_;
  std::string body_;   // padded
  std::string lines_;  // of the records, one behind the other
  std::vector<std::string_view> users_;
  std::vector<size_t> ends_;
  std::vector<SinkRecord> records_;
  IntakeBatch batch_;
};

}  // namespace segue::intake
