// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/serving/transition_archive.h"

namespace segue::serving {

// How far a watcher is: by partition the place in its stream up to which he has seen it. Goes into cursors that survive a restart.
using FeedCursor = std::map<int32_t, uint64_t>;

// What a place of a stream is: a number that every replay and every instance repeats.
enum class FeedPlaces : uint8_t {
  kBytes,    // of the lines before it (the durable length of the transitions file): it ends a line
  kOffsets,  // of a topic: everything below it was seen. Offsets without a line are usual (markers of transactions, aborted records)
};

// Committed transitions, as they are committed: lines of docs/formats/outputs.md. The newest lines are in memory, older ones come from the archive.
// Any thread may call anything.
class TransitionFeed {
 public:
  struct Options {
    size_t bytes = size_t{4} << 20;        // in memory, of each partition: some 15,000 transitions
    size_t all_bytes = size_t{256} << 20;  // of all partitions, which share it
    FeedPlaces places = FeedPlaces::kBytes;
    // Names the stream among those that a cursor may be of; empty: none. Letters and digits.
    std::string name;
  };
  struct Line {
    int32_t partition = 0;
    uint64_t end = 0;       // the place behind this line: the cursor of one who has seen it
    std::string_view text;  // without the newline
  };
  // A watcher; while it lives it is woken.
  class Watch {
   public:
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    friend class TransitionFeed;
    explicit Watch(TransitionFeed& feed) : feed_(feed) {}
    TransitionFeed& feed_;
  };

  explicit TransitionFeed(Options options) : options_(std::move(options)) {}
  TransitionFeed() : TransitionFeed(Options{}) {}
  TransitionFeed(const TransitionFeed&) = delete;
  TransitionFeed& operator=(const TransitionFeed&) = delete;

  // ---- the side of who has the transitions

  // A partition is here, and its stream stands at `end`; forgets what was in memory. `archive` has what came before; null: nobody has.
  void open(int32_t partition, uint64_t end, std::shared_ptr<TransitionArchive> archive);
  // The same of several: end() has all of them or none.
  void open(const FeedCursor& ends, const std::shared_ptr<TransitionArchive>& archive);
  // Whole lines of a commit that is settled, behind all before, in a stream of bytes. Requires open().
  void publish(int32_t partition, std::string lines);
  // The same with their places; the stream stands at `end` then. None: it has only moved on.
  void publish(int32_t partition, FeedLines lines, uint64_t end);
  // It is no longer here.
  void close(int32_t partition);
  // Wakes the watchers: an archive has what it was asked for.
  void wake();

  // ---- the watchers' side

  const Options& options() const { return options_; }

  // Where everything stands now.
  FeedCursor end() const;
  // `wake` is called after each publish() of lines, by its thread: it must return at once and not call back. The feed outlives the watch.
  [[nodiscard]] std::unique_ptr<Watch> watch(std::function<void()> wake);
  struct Progress {
    bool more = false;  // there is more; call again
    bool gap = false;   // lines behind the cursor are in nobody's reach any more: it was moved to the oldest that are
  };
  // Tells what lies behind the cursor, each partition's lines in their order, about `most_bytes` at a time, and moves the cursor on. Partitions that
  // are not here, or whose archive still fetches, are passed over; one that the cursor lacks is told from the oldest line in memory (kBytes), or from
  // its beginning (kOffsets: there end() never lacks one, so that it is new). kUsage where the cursor is not one of these streams: ahead of an
  // end, or in the middle of a line.
  Result<Progress> read(FeedCursor& cursor, size_t most_bytes, const std::function<void(const Line&)>& take);

 private:
  struct Stream {
    uint64_t begin = 0;  // of what is in memory
    uint64_t end = 0;
    size_t bytes = 0;  // in memory
    std::deque<FeedStretch> batches;
    std::shared_ptr<TransitionArchive> archive;
  };
  // What lies behind one place of a stream.
  struct Found {
    uint64_t from = 0;
    uint64_t archive_end = 0;                    // where memory takes over
    std::shared_ptr<TransitionArchive> archive;  // null: in `stretch`
    FeedStretch stretch;
    bool gap = false;
  };

  std::vector<int32_t> partitions() const;
  Result<std::optional<Found>> find(int32_t partition, const FeedCursor& cursor) const;
  Result<bool> load(int32_t partition, size_t most_bytes, Found& found) const;
  Result<uint64_t> tell(int32_t partition, const Found& found, size_t most_bytes, const std::function<void(const Line&)>& take) const;
  void unwatch(const Watch* watch);

  const Options options_;
  mutable std::mutex mutex_;
  std::map<int32_t, Stream> streams_;  // guarded by mutex_
  std::mutex watches_mutex_;
  std::map<const Watch*, std::function<void()>> watches_;  // guarded by watches_mutex_
};

}  // namespace segue::serving
