// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lib/event/event.h"

namespace segue::codec {

// Appends the event's canonical JSON, without a newline; fields that are absent or have their default are left out. Decoding it gives the same
// event. Requires what a decoder promises: ids that are not empty, UTF-8, finite numbers.
void append_json(const event::Event& event, std::string& out);

}  // namespace segue::codec
