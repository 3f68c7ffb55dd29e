// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/topic_archive.h"

#include <algorithm>
#include <array>

namespace segue::kafka {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kArchiveAsk{2'000};
// Without a record. Others wait meanwhile, and whoever asked will ask again.
constexpr std::chrono::milliseconds kArchivePatience{3'000};
constexpr std::chrono::milliseconds kArchivePoll{100};
// Only the end of a partition waits for it.
constexpr std::chrono::milliseconds kArchiveFetchWait{20};
// Clients are closed when nobody has come back for so long.
constexpr std::chrono::seconds kArchiveIdle{30};
constexpr size_t kArchivePrefetch = 1 << 20;
constexpr size_t kArchiveRecords = 512;
// Of one batch of wishes of those who are somewhere else: far more than streams may be open.
constexpr size_t kMostStrangers = 1024;

size_t bytes_of(const serving::FeedStretch& stretch) {
  return 256 + (stretch.lines ? stretch.lines->text.size() + stretch.lines->ends.size() * sizeof(uint64_t) : 0);
}

}  // namespace

bool append_line(const Record& record, serving::FeedLines& lines) {
  // A line break would end the line of a stream, and begin one of the writer's own making.
  if (record.value.empty() || record.value.find_first_of("\r\n") != std::string_view::npos) return false;
  lines.text.append(record.value).push_back('\n');
  lines.ends.push_back(record.offset + 1);
  return true;
}

TopicArchive::TopicArchive(ClientOptions options, std::function<void()> on_news) : options_(std::move(options)), on_news_(std::move(on_news)) {
  thread_ = std::thread([this] { run(); });
}

TopicArchive::~TopicArchive() { stop(); }

void TopicArchive::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// ---- any thread

Result<std::optional<serving::FeedStretch>> TopicArchive::read(int32_t partition, uint64_t from, uint64_t until, size_t /*most_bytes*/) {
  const Place place{partition, from};
  const std::lock_guard lock(mutex_);
  if (strangers_.erase(place) != 0) return serving::no_such_place(partition, from);
  if (from > until) {
    // An instance that is ahead of this one has told it.
    const auto known = known_ends_.find(partition);
    if (known == known_ends_.end() || known->second < from) wish(place, until);
    return std::nullopt;
  }
  const auto block = std::find_if(blocks_.begin(), blocks_.end(),
                                  [&](const Block& one) { return one.from.first == partition && one.from.second <= from && from < one.stretch.end; });
  if (block == blocks_.end()) return wish(place, until), std::nullopt;
  blocks_.splice(blocks_.begin(), blocks_, block);
  serving::FeedStretch stretch = blocks_.front().stretch;
  stretch.begin = std::max(stretch.begin, from);
  return stretch;
}

void TopicArchive::wish(Place from, uint64_t until) {
  const bool waits = std::any_of(wishes_.begin(), wishes_.end(), [&](const Wish& one) { return one.from == from; });
  if (waits || wishes_.size() == kWishes) return;
  wishes_.push_back({from, until});
  changed_.notify_all();
}

void TopicArchive::forget(int32_t partition) {
  const std::lock_guard lock(mutex_);
  ++generation_;
  known_ends_.erase(partition);
  std::erase_if(strangers_, [&](const Place& place) { return place.first == partition; });
  std::erase_if(wishes_, [&](const Wish& one) { return one.from.first == partition; });
  for (auto block = blocks_.begin(); block != blocks_.end();) {
    if (block->from.first == partition) kept_ -= bytes_of(block->stretch);
    block = block->from.first == partition ? blocks_.erase(block) : std::next(block);
  }
}

// ---- the thread

void TopicArchive::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool news = changed_.wait_for(lock, kArchiveIdle, [this] { return stopping_ || !wishes_.empty(); });
    if (stopping_) return;
    if (!news) {
      reader_.reset();
      inspector_.reset();
      readings_.clear();
      continue;
    }
    // Stays among the wishes while it is worked on, so that it is not made twice.
    const Wish wish = wishes_.front();
    lock.unlock();
    const Result<> done = fulfil(wish);
    if (!done) throttle_.warn("older transitions are not to be had at the moment", {{"reason", done.error().message}});
    lock.lock();
    std::erase_if(wishes_, [&](const Wish& one) { return one.from == wish.from; });
    lock.unlock();
    if (done) on_news_();
    lock.lock();
  }
}

Result<> TopicArchive::fulfil(const Wish& wish) {
  if (!reader_) {
    ClientOptions options = options_;
    options.prefetch_bytes_per_partition = kArchivePrefetch;
    auto reader = RecordReader::open(options, {.records_per_partition = kArchiveRecords, .fetch_wait = kArchiveFetchWait});
    if (!reader) return tl::unexpected<Error>(std::move(reader.error()));
    auto inspector = TopicInspector::open(options);
    if (!inspector) return tl::unexpected<Error>(std::move(inspector.error()));
    reader_ = std::move(*reader);
    inspector_ = std::move(*inspector);
  }
  if (wish.from.second <= wish.until) return fetch(wish);
  const auto ends = ends_of(wish.from.first);
  if (!ends) return tl::unexpected<Error>(ends.error());
  if (ends->high < wish.from.second) note_stranger(wish.from);
  return {};
}

Result<Watermarks> TopicArchive::ends_of(int32_t partition) {
  auto found = std::move(inspector_->watermarks(Topic::kTransitions, {&partition, 1}, kArchiveAsk).front().watermarks);
  const std::lock_guard lock(mutex_);
  if (found) known_ends_[partition] = found->high;
  return found;
}

void TopicArchive::note_stranger(Place place) {
  const std::lock_guard lock(mutex_);
  // Whoever asked for the others has gone.
  if (strangers_.size() == kMostStrangers) strangers_.clear();
  strangers_.insert(place);
}

// Goes on where it stands, if that is there.
Result<> TopicArchive::start(TopicPartition source, uint64_t offset) {
  for (const TopicPartition& other : readings_)
    if (other != source) reader_->pause(other);
  readings_.remove(source);
  if (!reader_->started(source) || reader_->position(source) != offset) SEGUE_TRY(reader_->start(source, offset));
  reader_->resume(source);
  readings_.push_front(source);
  if (readings_.size() > kReadings) {
    reader_->stop(readings_.back());
    readings_.pop_back();
  }
  return {};
}

Result<> TopicArchive::fetch(const Wish& wish) {
  const auto [partition, from] = wish.from;
  const TopicPartition source{Topic::kTransitions, partition};
  uint64_t generation = 0;
  {
    const std::lock_guard lock(mutex_);
    generation = generation_;
  }
  Block block{wish.from, {from, from, nullptr}};
  serving::FeedLines lines;
  SEGUE_TRY(start(source, from));
  auto deadline = Clock::now() + kArchivePatience;
  uint64_t& end = block.stretch.end;
  while (end < wish.until && lines.text.size() < kBlock) {
    const ReadBatch& batch = reader_->poll(kArchivePoll);
    for (const PartitionRecords& part : batch.records) {
      if (part.source != source) continue;
      for (const Record& record : part.records) {
        end = std::min(record.offset + 1, wish.until);
        if (record.offset >= wish.until) break;
        append_line(record, lines);
      }
      deadline = Clock::now() + kArchivePatience;
    }
    for (const PartitionEnd& one : batch.ends)
      if (one.source == source) end = std::clamp(one.offset, end, wish.until);
    for (const PartitionTrouble& trouble : batch.troubles) {
      if (trouble.source != source || trouble.kind != ReadTrouble::kOutOfRange) continue;
      const auto ends = ends_of(partition);
      if (!ends) return tl::unexpected<Error>(ends.error());
      if (ends->high < from) return note_stranger(wish.from), Result<>();
      // Retention may have come further while it was asked.
      block.stretch.begin = end = std::min(std::max(ends->low, from), wish.until);
      lines = {};
      if (end < wish.until) SEGUE_TRY(start(source, end));
    }
    const std::lock_guard lock(mutex_);
    if (stopping_) return segue::fail(ErrorClass::kStop, "it ends");
    if (Clock::now() < deadline) continue;
    return segue::fail(ErrorClass::kRetry, "partition " + std::to_string(partition) + " at offset " + std::to_string(end) + ": nothing came for " +
                                               std::to_string(kArchivePatience.count()) + " ms");
  }
  if (end >= wish.until) {
    // What was read beyond is in the feed's memory, and is not kept here.
    reader_->stop(source);
    readings_.remove(source);
  }
  block.stretch.lines = std::make_shared<const serving::FeedLines>(std::move(lines));
  keep(std::move(block), generation);
  return {};
}

void TopicArchive::keep(Block block, uint64_t generation) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  kept_ += bytes_of(block.stretch);
  blocks_.push_front(std::move(block));
  while (kept_ > kKept && blocks_.size() > 1) {
    kept_ -= bytes_of(blocks_.back().stretch);
    blocks_.pop_back();
  }
}

}  // namespace segue::kafka
