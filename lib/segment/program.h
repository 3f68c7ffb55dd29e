// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/event/event_type.h"
#include "lib/profile/plan.h"
#include "lib/segment/definitions.h"
#include "lib/segment/local_calendar.h"
#include "lib/segment/syntax.h"

namespace segue::segment {

enum class NodeKind : uint8_t {
  // Conditions
  kAlways,        // flag: the value
  kNot,           // left
  kAnd,           // left, right
  kOr,            // left, right
  kCompare,       // left comparison right: values
  kCountInRange,  // low <= count of window `index` <= high, differing from flag; kept as latest times
  kTiledCompare,  // total of the tiled window `index` (flag: its sum, else its count) comparison number
  kTextIn,        // text source `source` (trait: texts[index]) is one of texts[left, right); flag: is known and none of them
  kTextContains,  // contains texts[left]
  kTextKnown,
  kTraitIs,     // the trait texts[index] is the boolean flag
  kTraitKnown,  // of whatever type
  kKnown,       // left: a value that is known
  kStageIn,     // number: as hash, a bit for each stage
  kMember,      // of definition `index`
  kFallsIn,     // the yearly day in trait texts[index] lies in this week (flag) or month
  kInCart,      // the key is in the cart
  // Values
  kNumber,
  kMeasure,
  kAdd,  // left, right, and so on for the next three
  kSubtract,
  kMultiply,
  kDivide,
};

enum class Measure : uint8_t {
  kOrders,
  kSpend,
  kRefunded,
  kCount,        // of type `index`, since ever
  kLast,         // of type `index`
  kWindowCount,  // tiled window `index`; flag: it ends at the event
  kWindowSum,
  kFirstSeen,
  kLastSeen,
  kLastPurchase,
  kStageSince,
  kCartSize,
  kCartOldest,
  kAffinity,  // of the interest `hash` of scope `source`
  kShare,
  kTraitNumber,  // texts[index]
  kDaysUntil,    // texts[index]
  kNow,
  kWeekday,
  kMonth,
  kDayOfMonth,
  kEventPrice,
  kEventTotal,
  kEventQuantity,
  kEventRating,
  kKeyCount,  // place `index` of Interest::counts
  kKeyLastSeen,
  kKeyFirstPurchase,
  kKeyLastPurchase,
  kKeyAffinity,
  kKeyShare,
  kKeyCycle,
};

enum class TextSource : uint8_t { kTrait, kKey, kItem, kCategory, kBrand, kChannel, kQuery, kCoupon, kCampaign };

// One node of the compiled conditions of a file. Children come before their parents; a flat array, so that evaluation touches few cache lines.
struct Node {
  NodeKind kind = NodeKind::kAlways;
  Measure measure = Measure::kOrders;
  Comparison comparison = Comparison::kEqual;
  bool flag = false;
  bool at_event = false;  // the window ends at the event, not at now
  uint8_t source = 0;     // TextSource, or a profile::Scope
  uint16_t index = 0;
  uint32_t left = 0;
  uint32_t right = 0;
  uint32_t low = 0;
  uint32_t high = 0;
  double number = 0;
  uint64_t hash = 0;
};

// What a leaf is called in an explanation.
struct LeafText {
  std::string whole;  // spend >= 5000
  std::string left;   // spend
  ComparedUnit unit = ComparedUnit::kNumber;
};

// A parsed file.
struct Compiled {
  std::string text;
  std::string canonical;
  std::string hash;
  profile::Plan plan;
  LocalCalendar calendar;
  bool uses_calendar = false;

  std::vector<std::string> stages;
  std::vector<Move> moves;
  std::vector<Definition> definitions;

  std::vector<Node> nodes;
  std::vector<std::string> texts;
  std::map<uint32_t, LeafText> leaves;  // by node

  // Condition::inputs and uses_stage by definition, close together: every event reads them all.
  std::vector<uint32_t> inputs;
  std::vector<uint8_t> uses_stage;
  // Profile::holds_until: one for each definition, one for the lifecycle, then for each keyed segment one for each place of its keys' table.
  std::vector<uint32_t> key_places;  // by definition: where its keys' begin
  size_t held_values = 0;            // all of them

  // For each stage: its moves on events and its moves by time, in the order of the file, and the events that can change the latter.
  std::vector<std::vector<uint16_t>> event_moves;
  std::vector<std::vector<uint16_t>> time_moves;
  std::vector<uint32_t> time_inputs;
};

}  // namespace segue::segment
