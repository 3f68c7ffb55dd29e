// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/codec/event_decoder.h"
#include "lib/kafka/journal_chain.h"
#include "lib/kafka/record_reader.h"
#include "services/engine/background.h"
#include "services/engine/context.h"
#include "services/engine/mailbox.h"
#include "services/engine/partition.h"
#include "services/engine/partition_table.h"
#include "services/engine/worker.h"

namespace segue::engine {

// Follows the partitions that no worker of this process holds: takes the same input up to where their owners' journals reach, so that a take-over
// begins seconds behind. A thread of its own, and one more that opens states.
class Standby {
 public:
  // All outlive it.
  Standby(const Context& context, PartitionTable& table, std::vector<Worker*> workers);
  // Lets go of everything.
  ~Standby();
  Standby(const Standby&) = delete;
  Standby& operator=(const Standby&) = delete;

  Result<> start();
  // From any thread, for a partition that was just acquired from the table: what was followed of it; null where there is nothing.
  std::shared_ptr<Partition> take(int32_t partition);

 private:
  struct Followed {
    std::shared_ptr<Partition> partition;  // null while it is opened
    std::unique_ptr<kafka::JournalChain> chain;
    bool reads_input = false;
    bool paused = false;          // the input
    bool journal_paused = false;  // enough of it waits to be replayed
    Clock::time_point published;
    Clock::time_point retry_at;  // after trouble: then it is let go of, and taken up anew
    bool troubled = false;
  };
  struct Opened {
    std::shared_ptr<Partition> partition;
    Result<> result;
    uint64_t journal_begin = 0;
  };

  void run();
  void turn();
  void take_up_free();
  void hand_over_wanted();
  void take_opened(Opened opened);
  // Null: for the first time.
  void open(int32_t number, std::shared_ptr<Partition> partition);
  void let_go(int32_t number);
  void trouble(int32_t number, Followed& followed, const Error& error);
  Result<> take_journal(Followed& followed, const kafka::PartitionRecords& records);
  void take_records(const kafka::ReadBatch& batch);
  void advance(int32_t number, Followed& followed, Clock::time_point now);

  const Context& context_;
  PartitionTable& table_;
  const std::vector<Worker*> workers_;
  std::unique_ptr<kafka::RecordReader> reader_;
  codec::EventDecoder decoder_;
  std::map<int32_t, Followed> followed_;
  Clock::time_point look_due_;
  bool waits_ = false;
  bool gave_way_ = false;
  Mailbox<Opened> opened_;

  std::mutex mutex_;
  std::map<int32_t, std::shared_ptr<Partition>> handed_;  // guarded by mutex_

  std::atomic<bool> ending_{false};
  std::thread thread_;
  std::unique_ptr<Background> opener_;  // last: what it runs uses the others
};

}  // namespace segue::engine
