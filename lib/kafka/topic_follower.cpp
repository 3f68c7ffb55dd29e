// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/topic_follower.h"

#include <algorithm>
#include <utility>

#include "lib/base/assert.h"

namespace segue::kafka {
namespace {

namespace log = telemetry::log;

// A stop waits for one question at most.
constexpr std::chrono::milliseconds kFollowAsk{2'000};
constexpr std::chrono::milliseconds kFollowPoll{1'000};
constexpr std::chrono::seconds kLookAgain{60};
constexpr std::chrono::seconds kAfterTrouble{1};
constexpr size_t kLeastPrefetch = 64 << 10;
constexpr size_t kMostPrefetch = 1 << 20;

}  // namespace

TopicFollower::TopicFollower(ClientOptions options, std::vector<TopicListener*> listeners) : options_(std::move(options)) {
  for (TopicListener* listener : listeners) followed_.push_back({listener, {}, {}});
  thread_ = std::thread([this] { run(); });
}

TopicFollower::~TopicFollower() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (reader_) reader_->wake();
  }
  changed_.notify_all();
  thread_.join();
}

TopicFollower::Followed& TopicFollower::of(Topic topic) {
  const auto found = std::find_if(followed_.begin(), followed_.end(), [&](const Followed& one) { return one.listener->topic() == topic; });
  SEGUE_ASSERT(found != followed_.end());
  return *found;
}

void TopicFollower::run() {
  auto next_look = Clock::now();
  for (;;) {
    if (Clock::now() >= next_look) next_look = Clock::now() + (look() ? kLookAgain : kAfterTrouble);
    {
      std::unique_lock lock(mutex_);
      if (!reader_) changed_.wait_for(lock, kAfterTrouble, [this] { return stopping_; });
      if (stopping_) return;
    }
    if (!reader_) continue;
    take(reader_->poll(kFollowPoll));
    // Not after every poll that finds one lost: the brokers may need a moment.
    const bool lost = std::any_of(followed_.begin(), followed_.end(), [](const Followed& one) { return !one.lost.empty(); });
    if (lost) next_look = std::min(next_look, Clock::now() + kAfterTrouble);
  }
}

bool TopicFollower::look() {
  bool complete = true;
  for (Followed& followed : followed_) {
    const Result<> looked = look_at(followed);
    if (looked) continue;
    complete = false;
    throttle_.warn("a topic cannot be followed yet",
                   {{"topic", options_.topics.name(followed.listener->topic())}, {"reason", looked.error().message}});
  }
  return complete;
}

Result<> TopicFollower::look_at(Followed& followed) {
  const Topic topic = followed.listener->topic();
  if (!inspector_) {
    auto inspector = TopicInspector::open(options_, Isolation::kCommitted);
    if (!inspector) return tl::unexpected<Error>(std::move(inspector.error()));
    inspector_ = std::move(*inspector);
  }
  const auto count = inspector_->partitions(topic, kFollowAsk);
  if (!count) return tl::unexpected<Error>(count.error());
  if (*count == 0) return segue::fail(ErrorClass::kRetry, "the topic does not exist");
  std::vector<int32_t> wanted;
  for (int32_t partition = 0; partition < *count; ++partition)
    if (!followed.positions.contains(partition)) wanted.push_back(partition);
  if (wanted.empty()) return {};
  const bool first = followed.positions.empty() && followed.lost.empty();
  std::map<int32_t, uint64_t> places;
  for (const PartitionWatermarks& found : inspector_->watermarks(topic, wanted, kFollowAsk)) {
    if (!found.watermarks) return tl::unexpected<Error>(found.watermarks.error());
    const Watermarks& ends = *found.watermarks;
    const auto lost = followed.lost.find(found.partition);
    if (lost != followed.lost.end()) {
      // Retention was faster; or the topic is another one, or was cut back by a new leader.
      places[found.partition] = lost->second < ends.low ? ends.low : ends.high;
    } else {
      places[found.partition] = first ? std::clamp(followed.listener->begin(ends), ends.low, std::max(ends.low, ends.high)) : ends.low;
    }
  }
  return begin(followed, std::move(places));
}

Result<> TopicFollower::begin(Followed& followed, std::map<int32_t, uint64_t> places) {
  if (!reader_) {
    ClientOptions options = options_;
    // Of the first topic; the others have as many partitions.
    options.prefetch_bytes_per_partition = std::clamp(kPrefetch / (places.size() * followed_.size()), kLeastPrefetch, kMostPrefetch);
    auto reader = RecordReader::open(options);
    if (!reader) return tl::unexpected<Error>(std::move(reader.error()));
    const std::lock_guard lock(mutex_);
    reader_ = std::move(*reader);
  }
  // Told first: nothing that is read may come before it.
  followed.listener->open(places);
  for (const auto& [partition, place] : places) {
    followed.lost[partition] = place;
    SEGUE_TRY(reader_->start({followed.listener->topic(), partition}, place));
    followed.lost.erase(partition);
    followed.positions[partition] = place;
  }
  return {};
}

void TopicFollower::take(const ReadBatch& batch) {
  const auto take_on = [this](TopicPartition source, std::span<const Record> records, uint64_t position) {
    Followed& followed = of(source.topic);
    uint64_t& at = followed.positions[source.partition];
    at = std::max(at, position);
    followed.listener->take(source.partition, records, at);
  };
  for (const PartitionRecords& part : batch.records) take_on(part.source, part.records, part.records.back().offset + 1);
  for (const PartitionEnd& end : batch.ends) take_on(end.source, {}, end.offset);
  for (const PartitionTrouble& trouble : batch.troubles) {
    throttle_.warn("following a topic", {{"reason", trouble.error.message}});
    if (trouble.kind != ReadTrouble::kOutOfRange) continue;
    Followed& followed = of(trouble.source.topic);
    followed.lost.insert(followed.positions.extract(trouble.source.partition));
  }
}

}  // namespace segue::kafka
