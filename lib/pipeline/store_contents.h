// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/codec/state_keys.h"
#include "lib/pipeline/store.h"

// What those read of a shard's store who look at it from outside: tools, audits, snapshots.
namespace segue::pipeline {

// What stands under the key; absent when there is nothing.
Result<std::optional<std::string>> load_value(Store& store, std::string_view key);

// What the installed checkpoint says of itself; absent before the first. kData when the bytes are none.
Result<std::optional<codec::ShardMeta>> load_meta(Store& store);

// The entries under `prefix` have the same keys and bytes in a state and in one that was made anew from the log. Returns how many there are. kData
// names the first difference: `what` is the word for such an entry, and the user stands beside it where the key is a page's.
Result<uint64_t> compare_entries(Store& state, Store& made, std::string_view prefix, const std::string& what);

}  // namespace segue::pipeline
