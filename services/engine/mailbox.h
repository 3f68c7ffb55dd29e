// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <utility>
#include <vector>

namespace segue::engine {

// What other threads leave for one that never waits for it: small, rare messages.
template <class T>
class Mailbox {
 public:
  void put(T message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
  }
  std::vector<T> take_all() {
    const std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<T> messages_;
};

}  // namespace segue::engine
