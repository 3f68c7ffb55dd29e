// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/fetch_waker.h"

#include <chrono>

namespace segue::kafka {
namespace {

constexpr int kFirstVersionWithBackoff = 0x02020000;
constexpr int kAnswerMs = 500;
// Bounds the questions: a question and its two answers cost the broker about 0.2 ms.
constexpr std::chrono::milliseconds kPause{5};

}  // namespace

FetchWaker::FetchWaker(rd_kafka_t* client) : client_(client) {
  if (rd_kafka_version() < kFirstVersionWithBackoff) thread_ = std::thread([this] { run(); });
}

FetchWaker::~FetchWaker() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void FetchWaker::wake(const std::string& topic, int32_t partition) {
  if (!thread_.joinable()) return;
  const std::lock_guard lock(mutex_);
  wanted_.emplace(topic, partition);
  changed_.notify_all();
}

void FetchWaker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ended_ || !wanted_.empty(); });
    if (ended_) return;
    const auto [topic, partition] = std::move(wanted_.extract(wanted_.begin()).value());
    lock.unlock();
    int64_t low = 0;
    int64_t high = 0;
    // Whatever the answer: that one comes is enough.
    rd_kafka_query_watermark_offsets(client_, topic.c_str(), partition, &low, &high, kAnswerMs);
    lock.lock();
    changed_.wait_for(lock, kPause, [this] { return ended_; });
  }
}

}  // namespace segue::kafka
