// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/time.h"
#include "lib/kafka/client_options.h"

namespace segue::engine {

struct AuditOptions {
  kafka::ClientOptions client;
  Duration future_bound{0};         // clock.future_bound of the engine
  std::string work;                 // an empty directory for the states that are built; the caller removes it
  std::string state;                // state.directory of an instance that was stopped; its pages are compared too. Empty: none
  std::vector<int32_t> partitions;  // empty: all
};

// What was found to be the same.
struct AuditReport {
  uint64_t partitions = 0;
  uint64_t commits = 0;
  uint64_t events = 0;  // records of the input that the commits took, dead letters included
  uint64_t transitions = 0;
  uint64_t dead_letters = 0;
  uint64_t clock_steps = 0;  // commits that end with a step of the wall clock
  uint64_t activations = 0;  // of new definitions
  uint64_t states = 0;       // checkpoints that were compared
  uint64_t pages = 0;        // in them
  bool stopped = false;
};

// Takes an application's input from its beginning as the journal says, steps of the wall clock and definitions included, and compares: the outputs of
// each commit with the journal's checksums, and with the records that a read-committed reader of the topics gets, keys and bytes, in order, none
// missing and none besides; and the pages of a state whose checkpoint is at the journal's end. kData names the first difference. kUsage where the
// input has lost its beginning. The application may be running: what it commits after the audit began is not looked at.
Result<AuditReport> audit(const AuditOptions& options, const std::atomic<bool>& stop, const std::function<void(const AuditReport&)>& progress);

}  // namespace segue::engine
