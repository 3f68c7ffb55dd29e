// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/kafka/client_options.h"
#include "lib/kafka/group_membership.h"
#include "lib/kafka/record_reader.h"

namespace segue::kafka {

// What one poll of a group consumer found, in this order of handling: revoked, assigned, read.
struct GroupBatch {
  // Partitions taken away, all that were assigned: the range assignor is eager. Those that come back are in `assigned` of this poll or a later one.
  std::vector<int32_t> revoked;
  // They were lost (session timed out): another member may own them already.
  bool lost = false;
  // The whole assignment after a rebalance; set even when it is empty. Nothing is read of a partition before start(), and one that was started
  // before a rebalance goes on being read through it until stop(): the assignment does not touch reading.
  std::optional<std::vector<int32_t>> assigned;
  // Set once the member cannot go on: fenced by another process with the same instance id, not authorised, ... Open a new consumer, or stop.
  std::optional<Error> fatal;
  const ReadBatch* read = nullptr;  // never null

  bool empty() const { return revoked.empty() && !assigned && !fatal && read->empty(); }
};

// One static member of the consumer group (classic protocol, range assignor) that reads the partitions of the input that its owner starts.
// Membership and reading are separate handles of librdkafka: a rebalance neither stops a fetch nor drops what was fetched ahead, and an offset
// is only ever ours. One owner thread, except for wake() and membership(); it polls at least once a max.poll.interval.ms (5 minutes).
class GroupConsumer {
 public:
  static Result<std::unique_ptr<GroupConsumer>> open(const ClientOptions& options, RecordReader::Limits limits, Defences defences = {});
  static Result<std::unique_ptr<GroupConsumer>> open(const ClientOptions& options) { return open(options, RecordReader::Limits{}); }
  // Leaves reading at once. A static member stays in the group until its session times out or the same instance returns.
  ~GroupConsumer();
  GroupConsumer(const GroupConsumer&) = delete;
  GroupConsumer& operator=(const GroupConsumer&) = delete;

  // As in RecordReader, of the input topic.
  Result<> start(int32_t partition, uint64_t offset);
  void stop(int32_t partition);
  void pause(int32_t partition);
  void resume(int32_t partition);
  bool started(int32_t partition) const;
  uint64_t position(int32_t partition) const;

  const GroupBatch& poll(std::chrono::milliseconds timeout);
  // From any thread: the poll that waits, or the next one, returns at once.
  void wake();

  // Shared with the partitions' commits; lives on after the consumer, as left().
  std::shared_ptr<const GroupMembership> membership() const;
  bool connected() const;
  uint64_t records_dropped() const;
  // The last error of membership or reading; empty when all is well again.
  std::string last_error() const;

 private:
  class Impl;
  explicit GroupConsumer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace segue::kafka
