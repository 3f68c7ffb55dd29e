// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace segue::event {

// Why a record could not be used: the closed list of dead-letter reasons. Append only: they are metric labels and stored text.
enum class RejectReason : uint8_t {
  kInvalidJson,      // not one JSON value, or bytes after it
  kInvalidUtf8,      // bytes that are not UTF-8
  kNotAnObject,      // JSON, but not an object
  kMissingEventId,   // event_id absent, empty or not a string
  kMissingUserId,    // user_id absent, empty or not a string
  kUnknownType,      // type absent, or none of ours
  kInvalidTs,        // ts absent, not a whole number, negative or past the year 9999
  kInvalidPrice,     // price negative, not a number or above the limit
  kInvalidQuantity,  // quantity not a whole number from 1 to the limit
  kInvalidField,     // another known field has the wrong JSON type
  kFieldTooLong,     // a string above its limit
  kTooManyItems,     // items or traits above their limits
  kAmountTooLarge,   // price x quantity above the limit
  kRecordTooLarge,   // the whole record above its limit
  kFromTheFuture,    // ts later than the record's received time plus the bound
  kInvalidProtobuf,  // bytes that are not a segue.v1.Event
};
inline constexpr size_t kRejectReasons = 16;

inline constexpr std::array<std::string_view, kRejectReasons> kRejectReasonNames = {
    "invalid_json",     "invalid_utf8",     "not_an_object",    "missing_event_id", "missing_user_id", "unknown_type",
    "invalid_ts",       "invalid_price",    "invalid_quantity", "invalid_field",    "field_too_long",  "too_many_items",
    "amount_too_large", "record_too_large", "from_the_future",  "invalid_protobuf"};

constexpr std::string_view name(RejectReason reason) { return kRejectReasonNames[static_cast<size_t>(reason)]; }

}  // namespace segue::event
