// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/segment/definitions.h"

namespace segue::behaviour {

// One case of tests/behaviour/cases: what happened, and what Segue must say to it (README.md).
struct Case {
  std::string story;
  std::shared_ptr<const segment::Definitions> definitions;
  std::string log;                          // the events as NDJSON
  std::map<std::string, std::string> what;  // event id to what the user did
  std::vector<std::string> happens;         // sentences as describe() writes them
  std::map<std::string, uint64_t> counts;   // "duplicates", "refused", "timers"; those that the case states
  std::map<std::string, uint64_t> users;    // by stage at the end; empty: not stated
  bool states_users = false;
  std::vector<std::string> unusable;  // reasons of the dead letters
};

// Throws std::runtime_error, with the file and line at fault where it can be said.
Case read_case(const std::string& path);

// One sentence for each line of `transitions` (docs/formats/output-files.md).
std::vector<std::string> describe(const std::string& transitions, const std::map<std::string, std::string>& what);

// The file of the project's root folder, whole.
std::string read_text(const std::string& path);

}  // namespace segue::behaviour
