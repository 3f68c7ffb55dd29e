// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/config/config.h"
#include "services/collector/collector.h"

namespace segue::collector {

// What the configuration says to a collector; reads the file of write keys. kUsage says what is wrong. Answers go to the log at level debug.
Result<CollectorOptions> collector_options(const config::Config& config);

}  // namespace segue::collector
