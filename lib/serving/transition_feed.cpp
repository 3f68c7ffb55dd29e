// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/transition_feed.h"

#include <algorithm>

#include "lib/base/assert.h"

namespace segue::serving {

TransitionFeed::Watch::~Watch() { feed_.unwatch(this); }

// ---- the side of who has the transitions

void TransitionFeed::open(int32_t partition, uint64_t end, std::shared_ptr<TransitionArchive> archive) {
  const std::lock_guard lock(mutex_);
  streams_[partition] = {end, end, 0, {}, std::move(archive)};
}

void TransitionFeed::open(const FeedCursor& ends, const std::shared_ptr<TransitionArchive>& archive) {
  const std::lock_guard lock(mutex_);
  for (const auto& [partition, end] : ends) streams_[partition] = {end, end, 0, {}, archive};
}

void TransitionFeed::publish(int32_t partition, std::string lines) {
  SEGUE_ASSERT(options_.places == FeedPlaces::kBytes && (lines.empty() || lines.back() == '\n'));
  if (lines.empty()) return;
  uint64_t begin = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(partition);
    SEGUE_ASSERT(found != streams_.end());
    begin = found->second.end;
  }
  const uint64_t end = begin + lines.size();
  publish(partition, lines_of_bytes(std::move(lines), begin), end);
}

void TransitionFeed::publish(int32_t partition, FeedLines lines, uint64_t end) {
  const bool news = !lines.ends.empty();
  {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(partition);
    SEGUE_ASSERT(found != streams_.end());
    Stream& stream = found->second;
    SEGUE_ASSERT(end >= stream.end && (!news || (lines.ends.back() <= end && lines.ends.front() > stream.end)));
    if (news) {
      stream.bytes += lines.text.size();
      const uint64_t begin = stream.batches.empty() ? stream.begin : stream.end;
      stream.batches.push_back({begin, end, std::make_shared<const FeedLines>(std::move(lines))});
    } else if (!stream.batches.empty()) {
      stream.batches.back().end = end;
    }
    stream.end = end;
    const size_t limit = std::min(options_.bytes, options_.all_bytes / streams_.size());
    // The newest batch always stays.
    while (stream.batches.size() > 1 && stream.bytes > limit) {
      stream.begin = stream.batches.front().end;
      stream.bytes -= stream.batches.front().lines->text.size();
      stream.batches.pop_front();
    }
  }
  if (news) wake();
}

void TransitionFeed::close(int32_t partition) {
  const std::lock_guard lock(mutex_);
  streams_.erase(partition);
}

void TransitionFeed::wake() {
  const std::lock_guard lock(watches_mutex_);
  for (const auto& [watch, wake] : watches_) wake();
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
Result<std::optional<TransitionFeed::Found>> TransitionFeed::find(int32_t partition, const FeedCursor& cursor) const {
  const std::lock_guard lock(mutex_);
  const auto here = streams_.find(partition);
  if (here == streams_.end()) return std::nullopt;
  const Stream& stream = here->second;
  Found found;
  const auto seen = cursor.find(partition);
  const uint64_t first = options_.places == FeedPlaces::kBytes ? stream.begin : 0;
  found.from = seen == cursor.end() ? first : seen->second;
  if (stream.archive && (found.from < stream.begin || found.from > stream.end)) {
    found.archive = stream.archive;
    found.archive_end = found.from < stream.begin ? stream.begin : stream.end;
    return found;
  }
  if (found.from > stream.end) return no_such_place(partition, found.from);
  found.gap = found.from < stream.begin;
  found.from = std::max(found.from, stream.begin);
  if (found.from == stream.end && !found.gap) return std::nullopt;
  if (found.from == stream.end || stream.batches.empty()) {
    found.stretch = {found.from, stream.end, nullptr};
    return found;
  }
  const auto behind =
      std::partition_point(stream.batches.begin(), stream.batches.end(), [&](const FeedStretch& batch) { return batch.begin <= found.from; });
  found.stretch = *std::prev(behind);
  return found;
}

// Makes what the archive has the stretch; false where it has to be asked again.
Result<bool> TransitionFeed::load(int32_t partition, size_t most_bytes, Found& found) const {
  auto archived = found.archive->read(partition, found.from, found.archive_end, most_bytes);
  if (!archived) return tl::unexpected<Error>(std::move(archived.error()));
  if (!*archived) return false;
  found.stretch = std::move(**archived);
  if (found.stretch.end <= found.from) return fail(ErrorClass::kData, "transitions of partition " + std::to_string(partition) + " are missing");
  found.gap = found.stretch.begin > found.from;
  found.from = std::max(found.from, found.stretch.begin);
  return true;
}

// Tells the lines of the stretch behind the place; returns how far it came.
Result<uint64_t> TransitionFeed::tell(int32_t partition, const Found& found, size_t most_bytes, const std::function<void(const Line&)>& take) const {
  if (!found.stretch.lines) return found.stretch.end;
  const FeedLines& lines = *found.stretch.lines;
  auto next = std::upper_bound(lines.ends.begin(), lines.ends.end(), found.from);
  const bool is_end = found.from == found.stretch.begin || (next != lines.ends.begin() && *std::prev(next) == found.from);
  if (options_.places == FeedPlaces::kBytes && !is_end) return no_such_place(partition, found.from);
  size_t at = 0;
  for (auto before = lines.ends.begin(); before != next; ++before) at = lines.text.find('\n', at) + 1;
  const size_t limit = at + most_bytes;
  for (; next != lines.ends.end() && at < limit; ++next) {
    const size_t newline = lines.text.find('\n', at);
    take({partition, *next, std::string_view(lines.text).substr(at, newline - at)});
    at = newline + 1;
  }
  return next == lines.ends.end() ? found.stretch.end : *std::prev(next);
}

Result<TransitionFeed::Progress> TransitionFeed::read(FeedCursor& cursor, size_t most_bytes, const std::function<void(const Line&)>& take) {
  Progress progress;
  size_t left = std::max<size_t>(most_bytes, 1);
  const auto count = [&](const Line& line) {
    left -= std::min(left, line.text.size() + 1);
    take(line);
  };
  for (const int32_t partition : partitions()) {
    for (;;) {
      auto found = find(partition, cursor);
      if (!found) return tl::unexpected<Error>(std::move(found.error()));
      if (!*found) break;
      if (left == 0) return progress.more = true, progress;
      if ((*found)->archive) {
        const auto loaded = load(partition, left, **found);
        if (!loaded) return tl::unexpected<Error>(loaded.error());
        if (!*loaded) break;
      }
      progress.gap = progress.gap || (*found)->gap;
      const auto end = tell(partition, **found, left, count);
      if (!end) return tl::unexpected<Error>(end.error());
      cursor[partition] = *end;
    }
  }
  return progress;
}

}  // namespace segue::serving
