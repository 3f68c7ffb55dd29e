// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "services/tools/terminal.h"

namespace segue::tools {

// The lifecycle with what went through it.
struct Flow {
  struct Stage {
    std::string name;
    uint64_t users = 0;  // now
  };
  struct Move {
    size_t from = 0;  // indices of stages; several moves between two are drawn as one
    size_t to = 0;
    uint64_t count = 0;
  };
  std::vector<Stage> stages;
  std::vector<Move> moves;
};

// A box a stage, with the users who are there, and below it an arrow for every way out, as long as many users took it.
std::string draw_flow(const Flow& flow, const Terminal& terminal);

}  // namespace segue::tools
