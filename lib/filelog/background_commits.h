// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "lib/pipeline/commit_port.h"

namespace segue::filelog {

// Makes the commits of another port on a thread of its own, so that a shard need not wait for the disk. One that fails because of a full disk is
// made again every second, until it is there. The port's owner calls everything but status().
class BackgroundCommits final : public pipeline::CommitPort {
 public:
  using Clock = std::chrono::steady_clock;
  // Upper bounds of the buckets of durations; one more bucket holds what is slower.
  static constexpr std::array<double, 14> kBucketSeconds = {0.001, 0.002, 0.003, 0.005, 0.008, 0.012, 0.02, 0.04, 0.1, 0.25, 0.5, 1, 5, 30};

  struct Options {
    std::chrono::milliseconds retry{1'000};
  };
  // How the commits go: totals since the beginning.
  struct Status {
    std::chrono::nanoseconds in_flight{0};  // how long the present commit has been waiting; 0 when none
    std::string error;                      // why it is not made yet; empty: nothing is wrong
    double duration_sum_seconds = 0;
    std::array<uint64_t, kBucketSeconds.size() + 1> duration_buckets{};  // not cumulative
  };

  // `on_settled` is called by the thread when a commit is settled or will never be; it must be quick.
  BackgroundCommits(std::unique_ptr<pipeline::CommitPort> port, std::function<void()> on_settled, Options options);
  // A commit that is still to be made again is dropped: nothing of it counts.
  ~BackgroundCommits() override;

  Result<> for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit) override;
  Result<> submit(pipeline::Commit& commit) override;
  Result<bool> settled() override;
  // kRetry when it is not settled by the deadline of wait_no_longer_than().
  Result<> wait() override;
  uint64_t journal_hint() const override { return 0; }

  // From now on, for the end of the program.
  void wait_no_longer_than(Clock::time_point deadline);
  // Any thread.
  Status status() const;

 private:
  void work();
  void make(std::unique_lock<std::mutex>& lock);
  void count(Clock::duration duration);

  const std::unique_ptr<pipeline::CommitPort> port_;
  const std::function<void()> on_settled_;
  const Options options_;
  pipeline::Commit commit_;  // the owner's, and the thread's while in flight

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  bool in_flight_ = false;
  bool ending_ = false;
  std::optional<Error> failed_;  // for good
  Clock::time_point since_;
  std::optional<Clock::time_point> deadline_;
  Status status_;

  std::thread thread_;
};

}  // namespace segue::filelog
