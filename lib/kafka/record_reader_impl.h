// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>

#include "lib/kafka/client.h"
#include "lib/kafka/fetch_waker.h"
#include "lib/kafka/record_reader.h"

namespace segue::kafka {

// Lets a thread sleep until another one, possibly librdkafka's, has something for it.
class Doorbell {
 public:
  // Something may be there.
  void ring();
  // Whoever waits returns, and the next wait too, with true.
  void wake();
  // Forgets rings; what comes after is not missed.
  void silence();
  // True when woken.
  bool wait_until(std::chrono::steady_clock::time_point deadline);

 private:
  std::mutex mutex_;
  std::condition_variable rung_;
  bool ringing_ = false;
  bool woken_ = false;
};

// Which records of a partition are new. Gaps are legal: markers, aborted transactions, compaction. What lies below was there already: several
// versions of librdkafka repeat records after a lost connection.
struct NextOffset {
  uint64_t value = 0;
  bool check = true;  // Defences::check_record_offsets

  bool admit(uint64_t offset) {
    if (offset < value && check) return false;
    value = offset + 1;
    return true;
  }
};

class RecordReader::Impl {
 public:
  Impl(const ClientOptions& options, Limits limits, Defences defences);
  ~Impl();
  Result<> open(const ClientOptions& options);

  Result<> start(TopicPartition source, uint64_t offset);
  void stop(TopicPartition source);
  void set_paused(TopicPartition source, bool paused);
  bool started(TopicPartition source) const;
  uint64_t position(TopicPartition source) const;
  const ReadBatch& poll(std::chrono::milliseconds timeout);

  Doorbell& doorbell() { return doorbell_; }
  const Client& client() const { return *client_; }
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Reading {
    TopicPartition source;
    rd_kafka_topic_t* topic = nullptr;
    Owned<rd_kafka_queue_t> queue;
    NextOffset next;
    size_t bytes_taken = 0;  // since the last end or call for more
    bool paused = false;
    bool broken = false;                        // out of range: stopped with the next poll, as views of this one may hold its records
    std::vector<rd_kafka_message_t*> messages;  // what the views of the last poll lie in
    std::vector<Record> records;
  };

  Result<rd_kafka_topic_t*> find_topic(Topic topic);
  void release();
  void take();
  size_t take_from(Reading& reading, size_t limit);
  void take_message(Reading& reading, rd_kafka_message_t& message, bool& at_end);
  void note_trouble(Reading& reading, const rd_kafka_message_t& message);
  void close(Reading& reading);

  const Limits limits_;
  const Defences defences_;
  const Topics names_;
  Doorbell doorbell_;
  size_t bytes_to_wake_ = 0;
  std::unique_ptr<Client> client_;
  std::unique_ptr<FetchWaker> waker_;
  std::array<Owned<rd_kafka_topic_t>, kTopics> topics_;
  std::map<TopicPartition, Reading> readings_;
  std::vector<Reading> retired_;  // stopped since the last poll, whose views may still be in use
  TopicPartition last_served_;
  ReadBatch batch_;
  std::atomic<uint64_t> dropped_{0};
};

}  // namespace segue::kafka
