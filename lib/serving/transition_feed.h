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
#include <vector>

#include "lib/base/result.h"

namespace segue::serving {

// How far a watcher is: by partition the bytes of its stream of transition lines that he has seen. Goes into cursors that survive a restart.
using FeedCursor = std::map<int32_t, uint64_t>;

// Older transitions than the feed has in memory: from files. Any thread.
class TransitionArchive {
 public:
  TransitionArchive() = default;
  TransitionArchive(const TransitionArchive&) = delete;
  TransitionArchive& operator=(const TransitionArchive&) = delete;
  virtual ~TransitionArchive() = default;

  // Makes `out` the bytes from `from` on, up to `most` of them; the caller asks for no more than is committed. Fewer only for lack of them.
  virtual Result<> read(int32_t partition, uint64_t from, size_t most, std::string& out) = 0;
};

// Committed transitions, as they are committed: lines of docs/formats/outputs.md. A place in a partition's stream is a number of bytes, which every
// replay repeats (the durable length of the transitions file, OutputMark::length of the journal). The newest lines are in memory, older ones come
// from the archive. Any thread may call anything.
class TransitionFeed {
 public:
  struct Options {
    size_t bytes = size_t{4} << 20;  // in memory, of each partition: some 15,000 transitions
  };
  struct Line {
    int32_t partition = 0;
    uint64_t end = 0;       // of the stream, behind this line: the cursor of one who has seen it
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

  explicit TransitionFeed(Options options) : options_(options) {}
  TransitionFeed() : TransitionFeed(Options{}) {}
  TransitionFeed(const TransitionFeed&) = delete;
  TransitionFeed& operator=(const TransitionFeed&) = delete;

  // ---- the shards' side

  // A partition is here, and its stream stands at `end`. `archive` has what came before; null: nobody has.
  void open(int32_t partition, uint64_t end, std::shared_ptr<TransitionArchive> archive);
  // Whole lines of a commit that is settled, behind all before. Requires open().
  void publish(int32_t partition, std::string lines);
  // It is no longer here.
  void close(int32_t partition);

  // ---- the watchers' side

  // Where everything stands now.
  FeedCursor end() const;
  // `wake` is called after each publish(), by its thread: it must return at once and not call back. The feed outlives the watch.
  [[nodiscard]] std::unique_ptr<Watch> watch(std::function<void()> wake);
  struct Progress {
    bool more = false;  // there is more; call again
    bool gap = false;   // lines behind the cursor are in nobody's reach any more: it was moved to the oldest that are
  };
  // Tells what lies behind the cursor, each partition's lines in their order, about `most_bytes` at a time, and moves the cursor on. Partitions that
  // are not here are passed over; one that the cursor lacks is told from the oldest line in memory. kUsage where the cursor is not one of these
  // streams: ahead of an end, or in the middle of a line.
  Result<Progress> read(FeedCursor& cursor, size_t most_bytes, const std::function<void(const Line&)>& take);

 private:
  struct Batch {
    uint64_t begin = 0;
    std::shared_ptr<const std::string> lines;
  };
  struct Stream {
    uint64_t begin = 0;  // of what is in memory
    uint64_t end = 0;
    std::deque<Batch> batches;
    std::shared_ptr<TransitionArchive> archive;
  };
  // What lies behind one place of a stream.
  struct Stretch {
    uint64_t from = 0;
    uint64_t archive_end = 0;                    // where memory takes over
    std::shared_ptr<TransitionArchive> archive;  // null: in `batch`
    Batch batch;
    bool gap = false;
  };

  std::vector<int32_t> partitions() const;
  Result<std::optional<Stretch>> find(int32_t partition, const FeedCursor& cursor) const;
  void unwatch(const Watch* watch);

  const Options options_;
  mutable std::mutex mutex_;
  std::map<int32_t, Stream> streams_;  // guarded by mutex_
  std::mutex watches_mutex_;
  std::map<const Watch*, std::function<void()>> watches_;  // guarded by watches_mutex_
};

}  // namespace segue::serving
