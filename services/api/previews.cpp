// SPDX-License-Identifier: Apache-2.0
#include "services/api/previews.h"

#include <utility>

namespace segue::api {

Previews::~Previews() {
  progress_.cancel = true;
  if (thread_.joinable()) thread_.join();
}

Previews::Status Previews::status() const {
  Status status = newest_;
  status.events = progress_.events;
  status.part = status.state == State::kDone ? 1 : progress_.part.load();
  return status;
}

std::optional<Previews::Status> Previews::start(Surroundings::Definitions draft) {
  const std::lock_guard lock(mutex_);
  if (number_ != 0 && newest_.state == State::kRunning) return {};
  // Its thread has nothing left to do but to end.
  if (thread_.joinable()) thread_.join();
  newest_ = {};
  newest_.id = "p-" + std::to_string(++number_);
  progress_.events = 0, progress_.part = 0, progress_.cancel = false;
  thread_ = std::thread([this, draft = std::move(draft)] { run(draft); });
  return status();
}

void Previews::run(const Surroundings::Definitions& draft) {
  auto result = around_.preview(draft, progress_);
  const std::lock_guard lock(mutex_);
  if (progress_.cancel) {
    newest_.state = State::kCancelled;
  } else if (result) {
    newest_.state = State::kDone;
    newest_.result = std::make_shared<PreviewResult>(std::move(*result));
  } else {
    newest_.state = State::kFailed;
    newest_.detail = result.error().message;
  }
}

std::optional<Previews::Status> Previews::find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (number_ == 0 || id != newest_.id) return {};
  return status();
}

bool Previews::cancel(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (number_ == 0 || id != newest_.id) return false;
  if (newest_.state == State::kRunning) progress_.cancel = true;
  return true;
}

}  // namespace segue::api
