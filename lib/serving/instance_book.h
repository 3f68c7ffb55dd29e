// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/codec/instance_record.h"
#include "lib/serving/shard_directory.h"

namespace segue::serving {

// Who else serves shards, by what instances tell of themselves (docs/formats/topics.md). Times are arguments; one thread.
class InstanceBook {
 public:
  using Clock = std::chrono::steady_clock;
  // In a record each 5 s one may get lost or come late.
  static constexpr std::chrono::seconds kSilence{20};

  // `own`: this instance's name, whose records tell it nothing.
  explicit InstanceBook(std::string own) : own_(std::move(own)) {}

  // A record, later than all before. `age`: how long ago it was written, as far as two clocks can tell; 0 of one that came while we listened.
  void hear(codec::InstanceRecord record, Clock::time_point now, Duration age);
  // The instance said that it stops.
  void forget(const std::string& instance);
  // Whether the topic can be read from `now` on: silence counts only while it can.
  void listen(bool can_hear, Clock::time_point now);

  // Those that are not gone, by name.
  std::vector<codec::InstanceRecord> living(Clock::time_point now) const;
  // Tells the directory who has each of its partitions.
  void publish(ShardDirectory& directory, Clock::time_point now) const;

 private:
  struct Entry {
    codec::InstanceRecord record;
    Clock::time_point heard_at;
    uint64_t order = 0;  // of the records
  };
  bool is_gone(const Entry& entry, Clock::time_point now) const;

  const std::string own_;
  std::map<std::string, Entry> entries_;
  uint64_t records_ = 0;
  bool can_hear_ = false;
  Clock::time_point hearing_since_;
};

}  // namespace segue::serving
