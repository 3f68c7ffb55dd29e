// SPDX-License-Identifier: Apache-2.0
#include "lib/http/stream.h"

#include <utility>

namespace segue::http {

StreamWrite StreamQueue::write(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || ended_) return StreamWrite::kGone;
    const size_t queued = waiting_.size() + in_flight_bytes_;
    if (queued > 0 && queued + bytes.size() > max_bytes_) {
      refused_ = true;
      return StreamWrite::kFull;
    }
    waiting_ += bytes;
    if (std::exchange(told_, true)) return StreamWrite::kTaken;
  }
  changed_();
  return StreamWrite::kTaken;
}

void StreamQueue::end() {
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || std::exchange(ended_, true) || std::exchange(told_, true)) return;
  }
  changed_();
}

void StreamQueue::abort() {
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || ended_) return;
    ended_ = aborted_ = true;
    if (std::exchange(told_, true)) return;
  }
  changed_();
}

void StreamQueue::on_drain(std::function<void()> callback) {
  auto kept = std::make_shared<std::function<void()>>(std::move(callback));
  {
    const std::lock_guard lock(mutex_);
    if (!gone_) {
      drain_.swap(kept);
      return;
    }
  }
  if (*kept) (*kept)();  // it went before anybody could be told
}

size_t StreamQueue::queued_bytes() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() + in_flight_bytes_;
}

bool StreamQueue::is_gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

StreamQueue::Taken StreamQueue::take() {
  const std::lock_guard lock(mutex_);
  told_ = false;
  in_flight_bytes_ = waiting_.size();
  return {std::exchange(waiting_, {}), ended_, aborted_};
}

void StreamQueue::written() {
  std::shared_ptr<std::function<void()>> drain;
  {
    const std::lock_guard lock(mutex_);
    in_flight_bytes_ = 0;
    if (!refused_ || waiting_.size() > max_bytes_ / 2) return;
    refused_ = false;
    drain = drain_;
  }
  if (drain && *drain) (*drain)();
}

void StreamQueue::close() {
  std::shared_ptr<std::function<void()>> drain;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(gone_, true)) return;
    drain.swap(drain_);
    if (ended_) return;
    waiting_ = {};
    in_flight_bytes_ = 0;
  }
  if (drain && *drain) (*drain)();
}

class Stream::Ender {
 public:
  explicit Ender(std::shared_ptr<StreamQueue> queue) : queue_(std::move(queue)) {}
  ~Ender() { queue_->end(); }
  Ender(const Ender&) = delete;
  Ender& operator=(const Ender&) = delete;

  StreamQueue& queue() const { return *queue_; }

 private:
  const std::shared_ptr<StreamQueue> queue_;
};

Stream::Stream(std::shared_ptr<StreamQueue> queue) : ender_(std::make_shared<Ender>(std::move(queue))) {}
StreamWrite Stream::write(std::string_view bytes) { return ender_ ? ender_->queue().write(bytes) : StreamWrite::kGone; }
void Stream::end() {
  if (ender_) ender_->queue().end();
}
void Stream::abort() {
  if (ender_) ender_->queue().abort();
}
void Stream::on_drain(std::function<void()> callback) {
  if (ender_) ender_->queue().on_drain(std::move(callback));
}
size_t Stream::queued_bytes() const { return ender_ ? ender_->queue().queued_bytes() : 0; }
bool Stream::is_gone() const { return !ender_ || ender_->queue().is_gone(); }

}  // namespace segue::http
