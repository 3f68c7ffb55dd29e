// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/sync_team.h"

#include <utility>

namespace segue::filelog {

SyncTeam::SyncTeam(size_t helpers) {
  for (size_t i = 0; i < helpers; ++i) helpers_.emplace_back([this] { help(); });
}

SyncTeam::~SyncTeam() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  begun_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

std::vector<Result<>> SyncTeam::sync(std::span<File* const> files) {
  std::unique_lock lock(mutex_);
  files_ = files;
  results_.assign(files.size(), Result<>());
  next_ = 0;
  left_ = files.size();
  if (files.size() > 1) begun_.notify_all();
  work(lock);
  done_.wait(lock, [this] { return left_ == 0; });
  return std::move(results_);
}

void SyncTeam::help() {
  std::unique_lock lock(mutex_);
  for (;;) {
    begun_.wait(lock, [this] { return ending_ || next_ < files_.size(); });
    if (ending_) return;
    work(lock);
  }
}

void SyncTeam::work(std::unique_lock<std::mutex>& lock) {
  while (next_ < files_.size()) {
    const size_t mine = next_++;
    File* const file = files_[mine];
    lock.unlock();
    Result<> result = file->sync();
    lock.lock();
    results_[mine] = std::move(result);
    if (--left_ == 0) done_.notify_one();
  }
}

}  // namespace segue::filelog
