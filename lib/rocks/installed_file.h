// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/env.h>

#include <cstdint>
#include <string>

#include "lib/base/result.h"

namespace segue::rocks {

// The file INSTALLED of a state directory (docs/formats/state.md): a checkpoint that was certainly installed, kept outside of RocksDB, so that a
// MANIFEST that was cut short does not pass for a crash.

// 0 when the file is absent, kData when its bytes are not what was written.
Result<uint64_t> read_installed(rocksdb::Env& env, const std::string& directory);
// Replaces the file atomically and durably.
Result<> write_installed(rocksdb::Env& env, const std::string& directory, uint64_t number);

}  // namespace segue::rocks
