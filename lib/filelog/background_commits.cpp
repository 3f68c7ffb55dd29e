// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/background_commits.h"

#include <algorithm>
#include <utility>

#include "lib/base/assert.h"

namespace segue::filelog {

BackgroundCommits::BackgroundCommits(std::unique_ptr<pipeline::CommitPort> port, std::function<void()> on_settled, Options options)
    : port_(std::move(port)), on_settled_(std::move(on_settled)), options_(options), thread_([this] { work(); }) {}

BackgroundCommits::~BackgroundCommits() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<> BackgroundCommits::for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit) {
  SEGUE_TRY(wait());
  return port_->for_each_since(sequence, hint, visit);
}

Result<> BackgroundCommits::submit(pipeline::Commit& commit) {
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return tl::unexpected<Error>(*failed_);
    SEGUE_ASSERT(!in_flight_);
    commit_.outputs.clear();
    std::swap(commit_, commit);
    in_flight_ = true;
    since_ = Clock::now();
  }
  changed_.notify_all();
  return {};
}

Result<bool> BackgroundCommits::settled() {
  const std::lock_guard lock(mutex_);
  if (failed_) return tl::unexpected<Error>(*failed_);
  return !in_flight_;
}

Result<> BackgroundCommits::wait() {
  std::unique_lock lock(mutex_);
  const auto over = [this] { return !in_flight_ || failed_; };
  while (!over()) {
    if (!deadline_) {
      changed_.wait(lock);
    } else if (changed_.wait_until(lock, *deadline_) == std::cv_status::timeout && !over()) {
      return fail(ErrorClass::kRetry, status_.error.empty() ? "a commit takes too long" : status_.error);
    }
  }
  if (failed_) return tl::unexpected<Error>(*failed_);
  return {};
}

void BackgroundCommits::wait_no_longer_than(Clock::time_point deadline) {
  const std::lock_guard lock(mutex_);
  deadline_ = deadline;
}

BackgroundCommits::Status BackgroundCommits::status() const {
  const std::lock_guard lock(mutex_);
  Status status = status_;
  if (in_flight_) status.in_flight = std::max<Clock::duration>(Clock::now() - since_, std::chrono::nanoseconds(1));
  return status;
}

void BackgroundCommits::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || (in_flight_ && !failed_); });
    // What was submitted is tried once, even at the end.
    if (!in_flight_ || failed_) return;
    make(lock);
    if (ending_) return;
  }
}

void BackgroundCommits::make(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const auto made = port_->submit(commit_);
  const auto settled = made ? port_->wait() : Result<>();
  lock.lock();
  if (!made && made.error().kind == ErrorClass::kRetry) {
    status_.error = made.error().message;
    changed_.wait_for(lock, options_.retry, [this] { return ending_; });
    return;
  }
  if (!made || !settled) {
    failed_ = made ? settled.error() : made.error();
    status_.error = failed_->message;
  } else {
    in_flight_ = false;
    status_.error.clear();
    count(Clock::now() - since_);
  }
  lock.unlock();
  changed_.notify_all();
  if (on_settled_) on_settled_();
  lock.lock();
}

void BackgroundCommits::count(Clock::duration duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto bucket = std::lower_bound(kBucketSeconds.begin(), kBucketSeconds.end(), seconds) - kBucketSeconds.begin();
  ++status_.duration_buckets[static_cast<size_t>(bucket)];
  status_.duration_sum_seconds += seconds;
}

}  // namespace segue::filelog
