// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/transition_feed.h"

#include <algorithm>

#include "lib/base/assert.h"

namespace segue::serving {
namespace {

// Far more than a line can have: names and ids in it are bounded.
constexpr size_t kLongestLine = size_t{1} << 20;

tl::unexpected<Error> no_such_place(int32_t partition, uint64_t place) {
  return fail(ErrorClass::kUsage, "partition " + std::to_string(partition) + " has no transition that ends at " + std::to_string(place));
}

// Tells the whole lines of `bytes`, which begin at `from`; returns where the last one ends.
uint64_t tell(int32_t partition, std::string_view bytes, uint64_t from, size_t most, const std::function<void(const TransitionFeed::Line&)>& take) {
  size_t begin = 0;
  while (begin < most) {
    const size_t newline = bytes.find('\n', begin);
    if (newline == std::string_view::npos) break;
    take({partition, from + newline + 1, bytes.substr(begin, newline - begin)});
    begin = newline + 1;
  }
  return from + begin;
}

// The bytes from `from` on, at least one whole line of them.
Result<std::string> load(TransitionArchive& archive, int32_t partition, uint64_t from, uint64_t end, size_t most) {
  std::string bytes;
  // With the byte before, which shows whether a line begins here.
  const uint64_t before = from > 0 ? 1 : 0;
  for (;; most *= 2) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(most, end - from));
    SEGUE_TRY(archive.read(partition, from - before, wanted + before, bytes));
    if (bytes.size() < wanted + before) return fail(ErrorClass::kData, "transitions of partition " + std::to_string(partition) + " are missing");
    if (before > 0 && bytes.front() != '\n') return no_such_place(partition, from);
    bytes.erase(0, before);
    if (bytes.find('\n') != std::string::npos) return bytes;
    if (wanted == end - from || most > kLongestLine)
      return fail(ErrorClass::kData, "transitions of partition " + std::to_string(partition) + ": no line ends after " + std::to_string(from));
  }
}

}  // namespace

TransitionFeed::Watch::~Watch() { feed_.unwatch(this); }

// ---- the shards' side

void TransitionFeed::open(int32_t partition, uint64_t end, std::shared_ptr<TransitionArchive> archive) {
  const std::lock_guard lock(mutex_);
  streams_[partition] = {end, end, {}, std::move(archive)};
}

void TransitionFeed::publish(int32_t partition, std::string lines) {
  SEGUE_ASSERT(lines.empty() || lines.back() == '\n');
  if (lines.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(partition);
    SEGUE_ASSERT(found != streams_.end());
    Stream& stream = found->second;
    const uint64_t begin = stream.end;
    stream.end += lines.size();
    stream.batches.push_back({begin, std::make_shared<const std::string>(std::move(lines))});
    // The newest batch always stays.
    while (stream.batches.size() > 1 && stream.end - stream.begin > options_.bytes) {
      stream.begin += stream.batches.front().lines->size();
      stream.batches.pop_front();
    }
  }
  const std::lock_guard lock(watches_mutex_);
  for (const auto& [watch, wake] : watches_) wake();
}

void TransitionFeed::close(int32_t partition) {
  const std::lock_guard lock(mutex_);
  streams_.erase(partition);
}

// ---- the watchers' side

FeedCursor TransitionFeed::end() const {
  const std::lock_guard lock(mutex_);
  FeedCursor cursor;
  for (const auto& [partition, stream] : streams_) cursor[partition] = stream.end;
  return cursor;
}

std::unique_ptr<TransitionFeed::Watch> TransitionFeed::watch(std::function<void()> wake) {
  std::unique_ptr<Watch> watch(new Watch(*this));
  const std::lock_guard lock(watches_mutex_);
  watches_[watch.get()] = std::move(wake);
  return watch;
}

void TransitionFeed::unwatch(const Watch* watch) {
  const std::lock_guard lock(watches_mutex_);
  watches_.erase(watch);
}

std::vector<int32_t> TransitionFeed::partitions() const {
  const std::lock_guard lock(mutex_);
  std::vector<int32_t> all;
  for (const auto& [partition, stream] : streams_) all.push_back(partition);
  return all;
}

// Empty: nothing behind the cursor.
Result<std::optional<TransitionFeed::Stretch>> TransitionFeed::find(int32_t partition, const FeedCursor& cursor) const {
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(partition);
  if (found == streams_.end()) return std::nullopt;
  const Stream& stream = found->second;
  Stretch stretch;
  const auto seen = cursor.find(partition);
  stretch.from = seen == cursor.end() ? stream.begin : seen->second;
  if (stretch.from > stream.end) return no_such_place(partition, stretch.from);
  if (stretch.from < stream.begin && stream.archive) {
    stretch.archive = stream.archive;
    stretch.archive_end = stream.begin;
    return stretch;
  }
  stretch.gap = stretch.from < stream.begin;
  stretch.from = std::max(stretch.from, stream.begin);
  if (stretch.from == stream.end) return stretch.gap ? std::optional(stretch) : std::nullopt;
  const auto behind =
      std::partition_point(stream.batches.begin(), stream.batches.end(), [&](const Batch& batch) { return batch.begin <= stretch.from; });
  stretch.batch = *std::prev(behind);
  return stretch;
}

Result<TransitionFeed::Progress> TransitionFeed::read(FeedCursor& cursor, size_t most_bytes, const std::function<void(const Line&)>& take) {
  Progress progress;
  size_t left = std::max<size_t>(most_bytes, 1);
  for (const int32_t partition : partitions()) {
    for (;;) {
      auto found = find(partition, cursor);
      if (!found) return tl::unexpected<Error>(std::move(found.error()));
      if (!*found) break;
      if (left == 0) return progress.more = true, progress;
      const Stretch& stretch = **found;
      std::string loaded;
      std::string_view bytes;
      progress.gap = progress.gap || stretch.gap;
      if (stretch.archive) {
        auto archived = load(*stretch.archive, partition, stretch.from, stretch.archive_end, left);
        if (!archived) return tl::unexpected<Error>(std::move(archived.error()));
        bytes = loaded = std::move(*archived);
      } else if (stretch.batch.lines) {
        const std::string& lines = *stretch.batch.lines;
        const size_t skip = stretch.from - stretch.batch.begin;
        if (skip > 0 && lines[skip - 1] != '\n') return no_such_place(partition, stretch.from);
        bytes = std::string_view(lines).substr(skip);
      }
      const uint64_t end = tell(partition, bytes, stretch.from, left, take);
      left -= std::min<size_t>(left, end - stretch.from);
      cursor[partition] = end;
    }
  }
  return progress;
}

}  // namespace segue::serving
