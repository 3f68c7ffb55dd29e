// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "lib/base/result.h"
#include "lib/kafka/client_options.h"
#include "lib/kafka/record_reader.h"
#include "lib/kafka/topic_inspector.h"
#include "lib/telemetry/log.h"

namespace segue::kafka {

// Who is told what a topic has, on the follower's thread.
class TopicListener {
 public:
  TopicListener() = default;
  TopicListener(const TopicListener&) = delete;
  TopicListener& operator=(const TopicListener&) = delete;
  virtual ~TopicListener() = default;

  virtual Topic topic() const = 0;
  // Where to begin in a partition that is there from the start; `ends.high` is what a read-committed reader can see.
  virtual uint64_t begin(const Watermarks& ends) const = 0;
  // These are read from these offsets on. First all partitions at once; later those that are new, and those whose offset was no longer in the log.
  virtual void open(const std::map<int32_t, uint64_t>& places) = 0;
  // The next records of a partition; everything below `position` was handed over.
  virtual void take(int32_t partition, std::span<const Record> records, uint64_t position) = 0;
};

// Follows topics of this application, all partitions of them, for as long as it lives: read-committed, without a group, on a thread of its own.
// Begins when the brokers answer, goes on after they were away, and sees new partitions within a minute. Memory: about kPrefetch over all partitions.
class TopicFollower {
 public:
  static constexpr size_t kPrefetch = size_t{64} << 20;

  // The listeners outlive it.
  TopicFollower(ClientOptions options, std::vector<TopicListener*> listeners);
  ~TopicFollower();
  TopicFollower(const TopicFollower&) = delete;
  TopicFollower& operator=(const TopicFollower&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  struct Followed {
    TopicListener* listener = nullptr;
    std::map<int32_t, uint64_t> positions;  // of those that are read
    std::map<int32_t, uint64_t> lost;       // that the log did not have any more
  };

  void run();
  Result<> open_clients();
  // Whether all that is to be read is read.
  bool look();
  Result<> look_at(Followed& followed);
  Result<> begin(Followed& followed, std::map<int32_t, uint64_t> places);
  void take(const ReadBatch& batch);
  Followed& of(Topic topic);

  const ClientOptions options_;
  telemetry::log::Throttle throttle_{std::chrono::minutes(1)};
  std::vector<Followed> followed_;
  std::unique_ptr<TopicInspector> inspector_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;                 // guarded by mutex_
  std::unique_ptr<RecordReader> reader_;  // replaced never; made by the thread, under mutex_
  std::thread thread_;
};

}  // namespace segue::kafka
