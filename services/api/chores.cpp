// SPDX-License-Identifier: Apache-2.0
#include "services/api/chores.h"

#include <utility>

namespace segue::api {

Chores::Chores() : thread_([this] { run(); }) {}

Chores::~Chores() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool Chores::post(Chore chore) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || chores_.size() == kCapacity) return false;
    chores_.push_back(std::move(chore));
  }
  changed_.notify_one();
  return true;
}

void Chores::run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !chores_.empty(); });
    if (stopping_) return;
    const Chore chore = std::move(chores_.front());
    chores_.pop_front();
    lock.unlock();
    chore();
  }
}

}  // namespace segue::api
