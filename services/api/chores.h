// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace segue::api {

// What blocks or computes for longer than a server's thread may: reading files, parsing definitions. One thread, one after the other.
class Chores {
 public:
  // Waiting at a time. Each is some milliseconds, the worst a second.
  static constexpr size_t kCapacity = 64;
  using Chore = std::function<void()>;

  Chores();
  // Drops what waits: its responders answer 500 by themselves. Waits for the running one.
  ~Chores();
  Chores(const Chores&) = delete;
  Chores& operator=(const Chores&) = delete;

  // False: too many wait.
  [[nodiscard]] bool post(Chore chore);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chore> chores_;  // guarded by mutex_
  bool stopping_ = false;     // guarded by mutex_
  std::thread thread_;
};

}  // namespace segue::api
