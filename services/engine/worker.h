// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lib/codec/event_decoder.h"
#include "lib/kafka/group_consumer.h"
#include "lib/telemetry/log.h"
#include "services/engine/background.h"
#include "services/engine/context.h"
#include "services/engine/mailbox.h"
#include "services/engine/partition.h"
#include "services/engine/partition_table.h"

namespace segue::engine {

// One member of the consumer group, and the shards of the partitions that the group gives it: docs/engine.md has the loop. A thread of its own.
class Worker {
 public:
  struct Surroundings {
    const Context& context;
    PartitionTable& table;
    Background& openers;
    Background& closers;
    // What the standby had of a partition that was just acquired; null where there is nothing. Empty: there is no standby.
    std::function<std::shared_ptr<Partition>(int32_t partition)> take_from_standby;
    std::function<void(Error)> fail;  // the whole process must end
  };

  Worker(Surroundings surroundings, int index);
  // Requires that stop() was called, where start() was.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Joins the group.
  Result<> start();
  // From any thread: commits, checkpoints and lets go of every partition, until `deadline` at most; then the thread ends.
  void stop(Clock::time_point deadline);
  void join();

  // From any thread: the broker was asked for the end of the partition's log after `asked_at`.
  void tell_watermark(int32_t partition, Time asked_at, uint64_t high_watermark);
  // The group's answer to the first join has come.
  bool joined() const { return joined_; }
  uint64_t rebalances() const { return rebalances_; }
  bool connected() const { return consumer_ && consumer_->connected(); }
  // The time of the last turn of its loop, for /livez.
  Clock::time_point last_turn() const { return Clock::time_point(Clock::duration(last_turn_.load())); }

 private:
  enum class Place : uint8_t {
    kAway,     // opening or closing
    kHere,     // works
    kWaiting,  // was closed after trouble, and is opened again at `reopen_at`
    kStopped,  // for good
  };
  struct Slot {
    std::shared_ptr<Partition> partition;  // but for kAway
    bool assigned = false;
    Place place = Place::kAway;
    bool parked = false;    // the session was lost: whose it is, the next assignment says
    bool paused = false;    // fetching
    bool backlog = false;   // the last poll that read it gave much
    bool troubled = false;  // has been told of
    Clock::time_point reopen_at;
    int failures = 0;  // in a row
    int fences = 0;    // since the group spoke last
    uint64_t commits_at_opening = 0;
    Clock::time_point published;
  };
  struct Opened {
    std::shared_ptr<Partition> partition;
    Result<> result;
  };
  struct Closed {
    int32_t partition = 0;
  };
  struct Watermark {
    int32_t partition = 0;
    Time asked_at = kNoTime;
    uint64_t offset = 0;
  };

  void run();
  void turn();
  void take_mail();
  void take_opened(Opened opened);
  void park(const std::vector<int32_t>& lost);
  void follow_group(const kafka::GroupBatch& batch);
  void take_records(const kafka::ReadBatch& read);
  void take_troubles(const kafka::ReadBatch& read);
  void advance(int32_t number, Slot& slot, Clock::time_point now);
  void handle_error(int32_t number, Slot& slot, Error error);
  void open(int32_t number, std::shared_ptr<Partition> partition);
  void close(int32_t number, Slot& slot);
  void close_all();
  void wait_to_open(Slot& slot, PartitionState state, const std::string& reason);
  void serve_reads(Slot& slot);
  void serve_between_batches();
  std::chrono::milliseconds next_timeout() const;

  const Surroundings around_;
  const int index_;
  std::unique_ptr<kafka::GroupConsumer> consumer_;
  codec::EventDecoder decoder_;
  std::map<int32_t, Slot> slots_;
  bool backlog_ = false;   // the last poll gave all that it could
  bool waits_ = false;     // a partition waits for room
  bool gave_way_ = false;  // a partition has more to do
  bool reads_wait_ = false;
  int32_t last_read_ = -1;  // the partition that was read last between batches

  // What repeats as long as a trouble lasts.
  telemetry::log::Throttle quiet_{std::chrono::minutes(1)};

  Mailbox<Opened> opened_;
  Mailbox<Closed> closed_;
  Mailbox<Watermark> watermarks_;
  std::atomic<bool> stopping_{false};
  std::atomic<Clock::rep> stop_deadline_{0};
  std::atomic<bool> joined_{false};
  std::atomic<uint64_t> rebalances_{0};
  std::atomic<Clock::rep> last_turn_{0};
  std::thread thread_;
};

}  // namespace segue::engine
