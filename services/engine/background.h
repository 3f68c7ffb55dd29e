// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace segue::engine {

// A few threads for work that may take seconds. Jobs begin in the order in which they were put; the destructor runs what is left and waits for it.
class Background {
 public:
  explicit Background(size_t threads);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void put(std::function<void()> job);
  // Returns when nothing is waiting or running.
  void drain();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  std::deque<std::function<void()>> jobs_;
  size_t running_ = 0;
  bool ending_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace segue::engine
