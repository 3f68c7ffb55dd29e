// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "lib/event/event_type.h"
#include "lib/profile/plan.h"
#include "lib/segment/program.h"

namespace segue::segment {

// What kind of thing an expression stands for.
enum class Type : uint8_t {
  kCondition,
  kNumber,
  kDuration,
  kTime,
  kText,
  kTrait,     // number, text or true/false: what it is compared with decides
  kAffinity,  // falls all the time: may only be compared
  kStage,
};
std::string_view describe(Type type);

// Whom a word speaks of.
enum class About : uint8_t { kUser, kKey, kEvent };

// A word that stands alone. Numbers, times and durations have a measure; texts a source.
struct Word {
  std::string_view name;
  About about = About::kUser;
  Type type = Type::kNumber;
  Measure measure = Measure::kOrders;
  uint16_t index = 0;
  uint32_t inputs = 0;  // bit t: events of type t can change it
  TextSource source = TextSource::kTrait;
  bool of_stage = false;     // moves can change it
  bool of_calendar = false;  // depends on the time zone
};

constexpr uint32_t bit(event::EventType type) { return 1U << event::index(type); }
inline constexpr uint32_t kEveryType = (1U << event::kEventTypes) - 1;

// `name` may begin with "user.", which reaches past the key. Empty when there is no such word there.
const Word* find_word(std::string_view name, About about);
// Traits that need no trait("…").
bool is_plain_trait(std::string_view name);
// "category", "brand", "item".
std::optional<profile::Scope> find_scope(std::string_view name);
// All words and functions: what a misspelt one may have meant, and what a trait must not be called.
const std::vector<std::string_view>& vocabulary();

}  // namespace segue::segment
