// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

namespace segue::kafka {

// Keeps librdkafka fetching. When the queues of all partitions of a broker are full, versions before 2.2 (which has fetch.queue.backoff.ms) look
// again after a second, however soon the queues were emptied: a drain stood still for a third of its time. Anything else that happens on the
// connection to that broker makes them look at once: so this asks for a watermark.
class FetchWaker {
 public:
  // `client` outlives this.
  explicit FetchWaker(rd_kafka_t* client);
  // Waits for a question under way, half a second at most.
  ~FetchWaker();
  FetchWaker(const FetchWaker&) = delete;
  FetchWaker& operator=(const FetchWaker&) = delete;

  // The queue of this partition has room again. Does not wait.
  void wake(const std::string& topic, int32_t partition);

 private:
  void run();

  rd_kafka_t* const client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::pair<std::string, int32_t>> wanted_;
  bool ended_ = false;
  std::thread thread_;  // only where the version needs it
};

}  // namespace segue::kafka
