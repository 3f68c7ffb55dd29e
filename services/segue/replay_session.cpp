// SPDX-License-Identifier: Apache-2.0
#include "services/segue/replay_session.h"

#include <algorithm>
#include <thread>

namespace segue::program {

Result<std::vector<replay::ReplaySummary>> ReplaySession::run() {
  owned_.resize(options_.size());
  results_.resize(options_.size());
  {
    std::vector<std::jthread> threads;
    for (size_t i = 1; i < options_.size(); ++i) threads.emplace_back([this, i] { run_one(i); });
    run_one(0);
  }
  std::vector<replay::ReplaySummary> summaries;
  for (auto& result : results_) {
    if (!*result) return tl::unexpected<Error>(std::move((*result).error()));
    summaries.push_back(std::move(**result));
  }
  return summaries;
}

void ReplaySession::run_one(size_t i) {
  auto opened = replay::Replay::open(options_[i]);
  if (!opened) {
    results_[i] = tl::unexpected<Error>(std::move(opened.error()));
    failed_ = true;
    return stop();
  }
  owned_[i] = std::move(*opened);
  replays_[i] = owned_[i].get();
  // A stop that came before could not reach it.
  if (stop_) owned_[i]->stop();
  results_[i] = owned_[i]->run();
  if (*results_[i]) return;
  failed_ = true;
  stop();
}

void ReplaySession::stop() {
  stop_ = true;
  for (auto& replay : replays_)
    if (replay != nullptr) replay.load()->stop();
}

SessionSample ReplaySession::sample() const {
  SessionSample sum;
  sum.phase = replay::ReplayStatus::Phase::kDone;
  for (const auto& pointer : replays_) {
    const replay::Replay* replay = pointer;
    if (replay == nullptr) {
      sum.phase = replay::ReplayStatus::Phase::kStarting;
      continue;
    }
    sum.phase = std::min(sum.phase, replay->status().phase.load());
    const auto bytes = replay->bytes();
    sum.total_bytes += bytes.total;
    sum.consumed_bytes += bytes.consumed;
    for (const auto& shard : replay->progress()) {
      sum.records += shard->records;
      sum.replayed += shard->replayed;
      sum.outputs += shard->transitions;
      sum.users += shard->users;
      for (const auto& count : shard->rejects) sum.dead_letters += count;
    }
  }
  return sum;
}

}  // namespace segue::program
