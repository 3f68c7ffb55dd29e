// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "lib/base/time.h"

namespace segue::codec {

// The time of ISO 8601 text as tracking libraries write it: 2026-11-21T19:39:03.339Z; a space for the T, no seconds, any number of digits behind the
// point (those beyond milliseconds are dropped), an offset such as +08:00, or a date alone. Without an offset it is UTC. Empty for anything else, and
// for a day that the calendar does not have.
std::optional<Time> parse_iso_time(std::string_view text);

}  // namespace segue::codec
