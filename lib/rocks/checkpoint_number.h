// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace segue::rocks {

// The store's own key, which every checkpoint carries (docs/formats/state.md).
inline constexpr std::string_view kCheckpointNumberKey("\0n", 2);

// The number of the last checkpoint in `db`, 0 before the first. `path` is for the message.
Result<uint64_t> read_checkpoint_number(rocksdb::DB& db, const std::string& path);

}  // namespace segue::rocks
