// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/env.h>

#include <memory>

#include "tests/simulation/simulated_disk.h"

namespace segue::simulation {

// RocksDB's door to a simulated disk, with the real clock and threads behind it. The disk outlives the Env, and the Env every store on it. After
// SimulatedDisk::restart() the same Env serves the new contents; stores from before must be closed first.
std::unique_ptr<rocksdb::Env> make_simulated_env(SimulatedDisk& disk);

}  // namespace segue::simulation
