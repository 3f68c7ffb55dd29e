// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "services/api/context.h"

namespace segue::api {

// The preview of a draft that runs, or the last that ran. Any thread.
class Previews {
 public:
  enum class State : uint8_t { kRunning, kDone, kFailed, kCancelled };
  struct Status {
    std::string id;
    State state = State::kRunning;
    uint64_t events = 0;
    double part = 0;
    std::string detail;  // kFailed
    std::shared_ptr<const PreviewResult> result;
  };

  explicit Previews(const Surroundings& around) : around_(around) {}
  // Cancels the one that runs and waits for it.
  ~Previews();
  Previews(const Previews&) = delete;
  Previews& operator=(const Previews&) = delete;

  // Empty: one runs already.
  std::optional<Status> start(Surroundings::Definitions draft);
  // Empty: not the newest one.
  std::optional<Status> find(const std::string& id);
  // Whether there was such a one. One that is done stays.
  bool cancel(const std::string& id);

 private:
  Status status() const;
  void run(const Surroundings::Definitions& draft);

  const Surroundings& around_;
  mutable std::mutex mutex_;
  // Guarded by mutex_
  uint64_t number_ = 0;  // of the newest; 0: none
  Status newest_;
  PreviewProgress progress_;
  std::thread thread_;
};

}  // namespace segue::api
