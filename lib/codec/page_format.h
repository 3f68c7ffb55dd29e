// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "lib/base/time.h"
#include "lib/profile/profile.h"

// What encoder and decoder of pages share (docs/formats/page.md). Not for others.
namespace segue::codec::page_format {

inline constexpr uint8_t kVersion = 1;
inline constexpr size_t kNumberAt = 1;
inline constexpr size_t kDeadlineAt = 5;
inline constexpr size_t kStageAt = 13;
inline constexpr size_t kHeaderBytes = 17;

// Numbers are stored: append only.
enum class Section : uint8_t {
  kSummary = 1,
  kCounts,
  kVector,
  kEventIds,
  kRecent,
  kTiles,
  kCategories,
  kBrands,
  kItems,
  kCart,
  kTraits,
  kMembers,
  kKeyedMembers,
  kPastMoves,
  kLeftSegments,
  kLast = kLeftSegments,
};
constexpr Section interests_section(size_t index) { return static_cast<Section>(static_cast<size_t>(Section::kCategories) + index); }

// Bits of the summary, in the order of the values.
enum Summary : uint32_t {
  kLastSeen = 1 << 0,
  kFirstSeen = 1 << 1,
  kLastPurchase = 1 << 2,
  kStageSince = 1 << 3,
  kLandmark = 1 << 4,
  kOrders = 1 << 5,
  kLastOrder = 1 << 6,
  kSpend = 1 << 7,
  kRefunded = 1 << 8,
  kOutputs = 1 << 9,
  kErasedUntil = 1 << 10,
  kSummaryEnd = 1 << 11,
};

// Bits of an interest entry; 0 to 3 are its counts.
enum Entry : uint8_t { kEntryLastSeen = 1 << 4, kEntryFirstPurchase = 1 << 5, kEntryLastPurchase = 1 << 6, kEntryTimes = 1 << 7 };

enum class TraitKind : uint8_t { kFalse, kTrue, kNumber, kText };

inline constexpr unsigned kCauseBits = 3;  // the cause of a past move; above it the number of compared values

// Every time in a page lies within this of 1970, so that differences cannot overflow.
inline constexpr int64_t kMaxTimeMs = int64_t{1} << 60;

constexpr int64_t base_of(Time last_seen) { return last_seen == kNoTime ? 0 : to_ms(last_seen); }
constexpr uint64_t zigzag(int64_t value) { return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63); }
constexpr int64_t unzigzag(uint64_t value) { return static_cast<int64_t>((value >> 1) ^ (0 - (value & 1))); }
// Differences wrap: malformed times must not be undefined behaviour.
constexpr int64_t difference(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)); }

}  // namespace segue::codec::page_format
