// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lib/event/reject_reason.h"
#include "lib/kafka/topic_follower.h"

namespace segue::kafka {

// What a record of the dead-letter topic says (docs/formats/topics.md). Texts are the record's.
struct DeadLetterHeaders {
  std::string_view reason;
  std::string_view topic;
  std::string_view partition;
  std::string_view offset;
  std::string_view cut;  // empty: the value is whole
};

// The newest dead letters of the topic, of each reason some, for people to look at. Memory: kBytes over all partitions. Any thread may ask.
class NewestDeadLetters final : public TopicListener {
 public:
  static constexpr uint64_t kLookBack = 1000;  // offsets of a partition from before the start
  static constexpr size_t kMostOfReason = 100;
  static constexpr size_t kBytes = size_t{32} << 20;
  static constexpr size_t kRaw = 4096;  // of a record; more is not kept

  Topic topic() const override { return Topic::kDeadLetters; }
  uint64_t begin(const Watermarks& ends) const override { return ends.high - std::min(ends.high, kLookBack); }
  void open(const std::map<int32_t, uint64_t>& places) override;
  void take(int32_t partition, std::span<const Record> records, uint64_t position) override;
  // A record at the end of a partition. False: it is no dead letter, somebody else wrote it.
  bool add(int32_t partition, const DeadLetterHeaders& headers, std::string_view raw);

  // Of a partition, as lines of docs/formats/outputs.md, the last one last; of one reason where it is not empty.
  std::vector<std::string> newest(int32_t partition, size_t limit, std::string_view reason) const;

 private:
  struct Letter {
    uint64_t number = 0;  // counts up
    std::string topic;
    int32_t partition = 0;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    std::string raw;
  };
  using Letters = std::deque<Letter>;
  struct Partition {
    std::array<Letters, event::kRejectReasons> by_reason;
    size_t bytes = 0;
  };
  void make_room(Partition& partition) const;

  mutable std::mutex mutex_;
  // Guarded by mutex_
  std::map<int32_t, Partition> partitions_;
  uint64_t number_ = 0;
};

}  // namespace segue::kafka
