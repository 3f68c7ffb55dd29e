// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/options.h>

#include "lib/rocks/rocks_options.h"

namespace segue::rocks {

// What RocksDB is told: tuned for a store that is written only by ingested files of sorted, rewritten pages (docs/adr/0003-checkpoint.md has the
// measurements).
rocksdb::Options make_database_options(const RocksOptions& options);

}  // namespace segue::rocks
