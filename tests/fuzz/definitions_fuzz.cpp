// SPDX-License-Identifier: Apache-2.0
// Any bytes are either definitions or a list of mistakes with places inside the file. What parses is also evaluated: a few events, the timers that
// they set, and an explanation.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/base/assert.h"
#include "lib/profile/profile.h"
#include "lib/segment/definitions.h"

namespace {

using namespace segue;

void check_mistakes(const std::vector<segment::DefinitionError>& errors, std::string_view text) {
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  SEGUE_ASSERT(!errors.empty());
  for (const auto& error : errors) SEGUE_ASSERT(error.line >= 1 && error.line <= lines && error.column >= 1 && !error.message.empty());
}

void live(const segment::Definitions& definitions) {
  constexpr std::array kTypes = {event::EventType::kView,   event::EventType::kClick,    event::EventType::kCart,   event::EventType::kPurchase,
                                 event::EventType::kRefund, event::EventType::kIdentify, event::EventType::kReview, event::EventType::kPurchase};
  const std::array<event::Trait, 2> traits = {{{"birthday", std::string_view("2000-02-29")}, {"age", 30.0}}};
  profile::Profile profile;
  std::vector<segment::Change> changes;
  Time high = time_from_ms(1'700'000'000'000);
  for (size_t i = 0; i < 24; ++i) {
    event::Event event{.type = kTypes[i % kTypes.size()], .ts = high + std::chrono::hours{i * 7}, .event_id = "e", .user_id = "u"};
    if (i % 5 == 4) event.ts -= std::chrono::days{3};
    event.item = {.item_id = i % 3 == 0 ? "i-1" : "i-2", .category = i % 2 == 0 ? "女装" : "c-2", .brand = "b", .price = Money{50'000'000}};
    if (event.type == event::EventType::kIdentify) event.traits = traits;
    high = std::max(high, event.ts);
    const Time clock = high - definitions.plan().lateness;
    for (int fired = 0; profile.deadline <= clock && fired < 1000; ++fired) {
      const Time deadline = profile.deadline;
      definitions.on_deadline(profile, deadline, changes);
      SEGUE_ASSERT(profile.deadline > deadline);
    }
    profile::apply(profile, event, definitions.plan());
    definitions.on_event(profile, event, clock, changes);
    SEGUE_ASSERT(profile.deadline > clock);
    changes.clear();
  }
  for (const auto& explanation : definitions.explain(profile, high)) SEGUE_ASSERT(explanation.changes_at > high);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = segment::Definitions::parse(text, "fuzz.yaml");
  if (!parsed) {
    check_mistakes(parsed.error(), text);
    return 0;
  }
  // Parsing what was parsed gives the same definitions.
  SEGUE_ASSERT(segment::Definitions::parse(parsed->text(), "again.yaml")->hash() == parsed->hash());
  live(*parsed);
  return 0;
}
