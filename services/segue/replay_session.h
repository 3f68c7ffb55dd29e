// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "services/replay/replay.h"

namespace segue::program {

// How far a session is, over all its replays.
struct SessionSample {
  replay::ReplayStatus::Phase phase = replay::ReplayStatus::Phase::kStarting;  // the least advanced
  uint64_t total_bytes = 0;
  uint64_t consumed_bytes = 0;
  uint64_t records = 0;   // events and dead letters of this process
  uint64_t replayed = 0;  // events applied again after a restart
  uint64_t outputs = 0;
  uint64_t dead_letters = 0;
  uint64_t users = 0;
};

// One replay, or several at once, each with its own thread. run() once; everything else from any thread.
class ReplaySession {
 public:
  explicit ReplaySession(std::vector<replay::ReplayOptions> options) : options_(std::move(options)), replays_(options_.size()) {}

  // Opens and runs them all. An error in one stops the others.
  Result<std::vector<replay::ReplaySummary>> run();
  void stop();
  SessionSample sample() const;
  // Of the only replay: its progress and the bytes read, once it is open. Valid as long as the session.
  const replay::Replay* opened() const { return replays_[0].load(); }
  // One of them ended with an error.
  bool failed() const { return failed_; }

 private:
  void run_one(size_t i);

  const std::vector<replay::ReplayOptions> options_;
  std::vector<std::atomic<replay::Replay*>> replays_;  // null until open
  std::vector<std::unique_ptr<replay::Replay>> owned_;
  std::vector<std::optional<Result<replay::ReplaySummary>>> results_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> failed_{false};
};

}  // namespace segue::program
