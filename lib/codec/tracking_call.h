// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/arena.h"
#include "lib/base/result.h"
#include "lib/codec/json_text.h"
#include "lib/codec/tracking_names.h"
#include "lib/event/event.h"

namespace segue::codec {

// What a tracking call is, by its route or by its "type".
enum class CallKind : uint8_t { kTrack, kIdentify, kPage, kScreen, kAlias, kGroup };
inline constexpr std::array<std::string_view, 6> kCallKindNames = {"track", "identify", "page", "screen", "alias", "group"};
std::optional<CallKind> find_call_kind(std::string_view name);

// Why a call became no event. Metric labels, described in docs/collector.md.
enum class SkipReason : uint8_t {
  kUnmappedEvent,
  kPage,
  kAlias,
  kGroup,
  kUnknownCall,
  kMissingUser,
  kIdTooLong,
  kInvalidTime,
  kInvalidPrice,
  kInvalidQuantity,
  kTooManyItems,
  kCallTooLarge,
  kNotAnObject,
};
inline constexpr size_t kSkipReasons = 13;
inline constexpr std::array<std::string_view, kSkipReasons> kSkipReasonNames = {
    "unmapped_event", "page",           "alias",        "group",         "unknown_call",
    "missing_user",   "id_too_long",    "invalid_time", "invalid_price", "invalid_quantity",
    "too_many_items", "call_too_large", "not_an_object"};
constexpr std::string_view name(SkipReason reason) { return kSkipReasonNames[static_cast<size_t>(reason)]; }

struct TrackingCounts {
  std::array<uint64_t, kSkipReasons> skipped{};
  uint64_t ignored_properties = 0;

  uint64_t& of(SkipReason reason) { return skipped[static_cast<size_t>(reason)]; }
};

struct TrackingOptions {
  TrackingNames names;
  bool pages = true;  // page and screen are views
  std::string anonymous_prefix = "anon:";
  size_t max_call_bytes = 32 << 10;
  // Makes ids of calls that have neither messageId nor time: no two decoders may share it.
  std::string instance = "0";
};

// Turns bodies in the form of Segment's tracking API into events, by the table in docs/collector.md. What next() gives passes the checks of an
// EventDecoder. One per thread, reusable.
class TrackingDecoder {
 public:
  explicit TrackingDecoder(TrackingOptions options) : options_(std::move(options)) {}

  // Begins with a body: one call of a kind, or, without a kind, a batch. kData says what is wrong with it as a whole, and then there are no events.
  // `body` is copied. Counts begin at 0.
  Result<> open(std::string_view body, std::optional<CallKind> kind, Time received_at);
  // The next event; false after the last. Its strings live until the next call of open().
  bool next(event::Event& event);

  // Of this body, as far as it was taken.
  const TrackingCounts& counts() const { return counts_; }
  // The body's "writeKey", empty where it has none.
  std::string_view write_key() const { return write_key_; }

 private:
  class CallReader;

  std::optional<SkipReason> read_call(uint32_t token, std::optional<CallKind> kind, event::Event& event);

  const TrackingOptions options_;
  std::string body_;  // padded
  JsonIndex index_;
  JsonText text_;
  Arena arena_;
  Time received_at_ = kNoTime;
  Time sent_at_ = kNoTime;  // the request's
  std::optional<CallKind> kind_;
  uint32_t next_ = 0;  // token of the next call; 0: none
  uint64_t made_ids_ = 0;
  std::string_view write_key_;
  TrackingCounts counts_;
};

}  // namespace segue::codec
