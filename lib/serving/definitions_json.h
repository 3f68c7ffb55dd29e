// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/codec/json_writer.h"
#include "lib/segment/definitions.h"

namespace segue::serving {

// An array of the names of event types: bit t of `types` is type t.
void write_event_types(codec::JsonWriter& json, uint32_t types);
// What a definition set says, as members of the object that is open: stages, moves, segments, tags (docs/api.md).
void write_definitions(codec::JsonWriter& json, const segment::Definitions& definitions);

}  // namespace segue::serving
