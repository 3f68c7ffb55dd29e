// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/status.h>

#include <string_view>

#include "lib/base/result.h"

namespace segue::rocks {

// RocksDB's status as our error: disk full may pass, damage is data, a lock is a matter of usage, anything else stops the shard.
// `doing` says what was attempted, with the path.
Error error_from(const rocksdb::Status& status, std::string_view doing);

inline Result<> result_from(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  return tl::unexpected<Error>(error_from(status, doing));
}

}  // namespace segue::rocks
