// SPDX-License-Identifier: Apache-2.0
#include "lib/event/event_type.h"

namespace segue::event {

std::optional<EventType> find_event_type(std::string_view name) {
  for (size_t i = 0; i < kEventTypes; ++i)
    if (kEventTypeNames[i] == name) return static_cast<EventType>(i);
  return std::nullopt;
}

}  // namespace segue::event
