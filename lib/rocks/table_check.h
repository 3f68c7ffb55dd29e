// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/env.h>

#include <string>

#include "lib/base/result.h"

namespace segue::rocks {

// Checks the one byte of an SST that RocksDB 7.8 uses before it has checked its sum: whether the block of properties claims a hash index, which it
// never has. A RocksDB built with assertions, as Debian's is, would abort on it. kData when it claims one; everything else is left to RocksDB's own
// checks.
Result<> check_properties(rocksdb::Env& env, const std::string& path);

}  // namespace segue::rocks
