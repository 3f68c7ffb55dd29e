// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lib/kafka/client_options.h"
#include "lib/kafka/instance_topic.h"
#include "lib/serving/instance_book.h"
#include "lib/serving/shard_directory.h"
#include "services/api/context.h"

namespace segue::program {

// Finds other instances with an API, and tells them of this one (docs/formats/topics.md, "Instances"). One thread. Without the topic it says so and
// goes on looking for it.
class InstanceWatch {
 public:
  struct Options {
    kafka::ClientOptions client;
    std::string topic;
    std::string instance;
    std::string address;                       // told to the others; empty: nothing is told
    std::string no_address;                    // why there is none to tell; empty: none is wanted
    std::function<std::string()> definitions;  // hash of those that are to be in force
    bool count_partitions = false;             // sets those of the directory by the input topic; else somebody else does
  };

  // `directory` outlives it.
  InstanceWatch(Options options, serving::ShardDirectory& directory);
  // As stop().
  ~InstanceWatch();
  InstanceWatch(const InstanceWatch&) = delete;
  InstanceWatch& operator=(const InstanceWatch&) = delete;

  // Tells the others that this one stops. Any thread, once or more.
  void stop();
  // Any thread.
  api::InstanceView view() const;
  // The topic was read to its end once, and works.
  bool is_ready() const;

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  bool count_partitions();
  bool open_topic();
  void listen();
  void take(const kafka::InstanceTopic::Word& word);
  void tell_others();
  void publish(const std::string& trouble);
  void say(const std::string& trouble);
  // False: stop() was called.
  bool wait(std::chrono::milliseconds time);
  bool is_stopping() const;

  const Options options_;
  serving::ShardDirectory& directory_;
  // The thread's
  serving::InstanceBook book_;
  std::unique_ptr<kafka::InstanceTopic> topic_;
  bool at_end_ = false;    // of what was there when the topic was opened
  bool was_read_ = false;  // to its end, once
  codec::InstanceRecord told_;
  Clock::time_point told_at_;
  Clock::time_point counted_at_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  bool stopping_ = false;
  bool ready_ = false;
  api::InstanceView view_;
  std::thread thread_;
};

}  // namespace segue::program
