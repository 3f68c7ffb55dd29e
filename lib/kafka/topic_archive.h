// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/kafka/client_options.h"
#include "lib/kafka/record_reader.h"
#include "lib/kafka/topic_inspector.h"
#include "lib/serving/transition_archive.h"
#include "lib/telemetry/log.h"

namespace segue::kafka {

// Adds the record as a line of a feed. False: it is none, somebody else wrote it.
bool append_line(const Record& record, serving::FeedLines& lines);

// The transitions topic for those who come back after a while. read() never waits: a thread of its own fetches blocks of records, of which the newest
// used are kept. Records that retention has removed are lost; a place that was never there is none. What is fetched in vain is fetched again when it
// is asked for again. Memory: kKept and one block, kReadings fetch answers.
class TopicArchive final : public serving::TransitionArchive {
 public:
  static constexpr size_t kBlock = size_t{256} << 10;
  static constexpr size_t kKept = size_t{32} << 20;
  static constexpr size_t kReadings = 8;  // partitions that are read on without a new start
  static constexpr size_t kWishes = 1024;

  // `on_news` is called by the thread.
  TopicArchive(ClientOptions options, std::function<void()> on_news);
  ~TopicArchive() override;
  // Fetches nothing more.
  void stop();

  Result<std::optional<serving::FeedStretch>> read(int32_t partition, uint64_t from, uint64_t until, size_t most_bytes) override;
  // The partition's offsets are those of another log now.
  void forget(int32_t partition);

 private:
  using Place = std::pair<int32_t, uint64_t>;  // partition, offset
  struct Wish {
    Place from;
    uint64_t until = 0;
  };
  struct Block {
    Place from;  // as it was asked for
    serving::FeedStretch stretch;
  };

  void wish(Place from, uint64_t until);
  void run();
  Result<> fulfil(const Wish& wish);
  Result<> open_clients();
  Result<Watermarks> ends_of(int32_t partition);
  void note_stranger(Place place);
  Result<> fetch(const Wish& wish);
  Result<> start(TopicPartition source, uint64_t offset);
  void keep(Block block, uint64_t generation);

  const ClientOptions options_;
  const std::function<void()> on_news_;
  telemetry::log::Throttle throttle_{std::chrono::minutes(1)};

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  bool stopping_ = false;
  uint64_t generation_ = 0;  // counts forget()
  std::deque<Wish> wishes_;
  std::list<Block> blocks_;  // the last used one first
  size_t kept_ = 0;          // bytes of blocks_
  std::map<int32_t, uint64_t> known_ends_;
  std::set<Place> strangers_;  // asked for, and never there

  // The thread's
  std::unique_ptr<TopicInspector> inspector_;
  std::unique_ptr<RecordReader> reader_;
  std::list<TopicPartition> readings_;  // the last used one first
  std::thread thread_;
};

}  // namespace segue::kafka
