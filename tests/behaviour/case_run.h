// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/pipeline/shard_pipeline.h"
#include "tests/behaviour/case_file.h"
#include "tests/behaviour/memory_store.h"

namespace segue::behaviour {

// How the real pipeline is driven over a log.
struct Manner {
  std::string name;
  pipeline::ShardPipeline::Options options;
  size_t chunk_bytes = 1 << 20;
  bool dies = false;  // after every commit, losing all that is not installed; then recovers
  size_t shards = 1;
};

// What a log came to; over several shards the outputs of one stand behind those of the other.
struct Outcome {
  std::string transitions;
  std::string dead_letters;
  MemoryStore::Contents pages;
  std::map<std::string, uint64_t> counts;  // as in Case, "outputs" and "unusable"
  std::map<std::string, uint64_t> users;   // by stage, stages without users left out
  size_t lives = 0;
  size_t loads = 0;  // of pages
};

// Any error is a failure of the test, told with the manner's name.
Outcome run(const std::string& log, const std::shared_ptr<const segment::Definitions>& definitions, const Manner& manner);

}  // namespace segue::behaviour
