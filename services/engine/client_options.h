// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/base/hash.h"
#include "lib/config/config.h"
#include "lib/kafka/client_options.h"

namespace segue::engine {

// What the configuration says to every Kafka client; librdkafka's own lines go to the log.
kafka::ClientOptions client_options(const config::Config& config);
// How the input's writers choose a partition, as it says.
Partitioner partitioner(const config::Config& config);

}  // namespace segue::engine
