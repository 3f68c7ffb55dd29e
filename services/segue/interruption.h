// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

#include "lib/base/result.h"

namespace segue::program {

// Runs work that Ctrl-C and SIGTERM may stop early in good order.
struct WatchedWork {
  std::function<void()> work;    // on a thread of its own
  std::function<void()> stop;    // asks it to end; called once, at the first signal
  std::function<void()> hangup;  // SIGHUP came; empty: SIGHUP ends the process, as it does others
  std::function<void()> tick;    // called about every `interval` meanwhile
  std::chrono::milliseconds interval{200};
};

// Returns when the work has ended; true when a signal came. A second signal ends the process at once, with exit code 130: whatever is on disk then
// is what a crash would leave. Signals are blocked while it runs, in this thread and those that the work starts.
bool run_watched(const WatchedWork& watched);

// The same for a session with run(), stop() and reload(); what run() gave.
template <class Session>
Result<> run_session(Session& session) {
  Result<> result;
  run_watched({.work = [&] { result = session.run(); }, .stop = [&] { session.stop(); }, .hangup = [&] { session.reload(); }});
  return result;
}

// Before threads are started that a later run_watched() is to stop: signals wait for it, so that none of them ends the process.
void hold_signals();

}  // namespace segue::program
