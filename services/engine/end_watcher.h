// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/kafka/topic_inspector.h"
#include "services/engine/context.h"
#include "services/engine/partition.h"
#include "services/engine/partition_table.h"
#include "services/engine/worker.h"

namespace segue::engine {

// Asks the broker where the logs end, on a thread of its own: for steps of the clock, for the lag, and whether the input has got more partitions.
class EndWatcher {
 public:
  // All outlive it.
  EndWatcher(const Context& context, PartitionTable& table, std::vector<Worker*> workers, std::unique_ptr<kafka::TopicInspector> inspector);
  ~EndWatcher();
  EndWatcher(const EndWatcher&) = delete;
  EndWatcher& operator=(const EndWatcher&) = delete;

 private:
  struct Asked {
    Clock::time_point for_lag;
    Clock::time_point for_clock;
  };

  void run();
  void turn(Clock::time_point now);
  enum class Question : uint8_t { kNone, kLag, kClock };
  Question question_for(const PartitionStatus& status, Clock::time_point now, Time wall);
  void judge_clock(Time wall);
  void count_partitions();

  const Context& context_;
  PartitionTable& table_;
  const std::vector<Worker*> workers_;
  const std::unique_ptr<kafka::TopicInspector> inspector_;
  std::map<int32_t, Asked> asked_;
  Clock::time_point count_due_;
  bool clock_followed_ = true;

  std::mutex mutex_;
  std::condition_variable ending_changed_;
  bool ending_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace segue::engine
