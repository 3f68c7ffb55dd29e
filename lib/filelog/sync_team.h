// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "lib/filelog/file_system.h"

namespace segue::filelog {

// Syncs several files at the same time. File systems make one flush for those that come together, where one after the other each waits for its own:
// four files take 5 ms instead of 20 on ext4.
class SyncTeam {
 public:
  // `helpers` threads beside the caller's.
  explicit SyncTeam(size_t helpers);
  ~SyncTeam();
  SyncTeam(const SyncTeam&) = delete;
  SyncTeam& operator=(const SyncTeam&) = delete;

  // What came of each, in their order, when all are done. One thread at a time.
  std::vector<Result<>> sync(std::span<File* const> files);

 private:
  void help();
  // Syncs what nobody has begun yet.
  void work(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable done_;
  // Guarded by mutex_
  std::span<File* const> files_;
  std::vector<Result<>> results_;
  size_t next_ = 0;  // of files_
  size_t left_ = 0;  // not done
  bool ending_ = false;

  std::vector<std::thread> helpers_;
};

}  // namespace segue::filelog
