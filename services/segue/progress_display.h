// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <string>

#include "services/segue/replay_session.h"
#include "services/tools/terminal.h"

namespace segue::program {

// Turns samples into what the user sees of a running replay. Time is an argument.
class ProgressDisplay {
 public:
  using Clock = std::chrono::steady_clock;

  explicit ProgressDisplay(tools::Terminal terminal) : terminal_(terminal) {}

  // What to write to standard error now, often nothing: on a terminal one line that is drawn anew, at most five times a second; elsewhere a line
  // every ten seconds.
  std::string update(const SessionSample& sample, Clock::time_point now);
  // Takes the drawn line away.
  std::string clear();

 private:
  struct Moment {
    Clock::time_point at;
    uint64_t events = 0;
    uint64_t bytes = 0;
  };
  std::string line(const SessionSample& sample) const;
  // Events and bytes a second, over the last seconds.
  double rate(uint64_t Moment::*count) const;

  tools::Terminal terminal_;
  std::deque<Moment> moments_;
  std::optional<Clock::time_point> drawn_;
  bool visible_ = false;
};

}  // namespace segue::program
