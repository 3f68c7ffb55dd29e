// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/arena.h"
#include "lib/codec/event_decoder.h"
#include "lib/filelog/log_reader.h"
#include "lib/pipeline/shard_pipeline.h"

namespace segue::replay {

// Every line of a chunk to an event or a reject. Records point into chunk and arena.
void decode_chunk(const filelog::Chunk& chunk, codec::EventDecoder& decoder, Arena& arena, pipeline::DecodedChunk& out);

// One log through its shards. Every shard has a thread of its own; whichever has nothing to apply reads and decodes the next chunk for all, so that a
// chunk is decoded once and every core is busy. Chunks reach each shard in log order: what a shard does never depends on the threads.
class LogRun {
 public:
  struct Options {
    std::vector<std::string> paths;
    size_t chunk_bytes = 1 << 20;
  };

  struct Shard {
    pipeline::ShardPipeline* pipeline = nullptr;
    pipeline::CommitPort* commits = nullptr;
  };

  // What the shards point to outlives the run; shard i takes share i.
  LogRun(filelog::FileSystem& files, Options options, std::vector<Shard> shards);

  // Recovers and opens the log where the first shard has to go on. Once, before work().
  Result<> prepare();
  // The whole of shard `share`'s work, on a thread of its own; all shards' at the same time.
  Result<> work(size_t share, const std::atomic<bool>& stop);
  // Bytes on disk; zero before prepare().
  filelog::LogReader::Progress progress() const;

 private:
  struct Slot {
    filelog::Chunk chunk;
    Arena arena;
    pipeline::DecodedChunk decoded;
    uint64_t index = 0;
    size_t takers = 0;  // shards that have not taken it yet; 0: free
    bool ready = false;
  };
  enum class Task : uint8_t { kApply, kDecode, kWait, kEnd };

  Task next_task(uint64_t wanted, Slot*& slot);
  Result<> decode(Slot& slot, codec::EventDecoder& decoder);
  Result<> fail_all(Error error);

  filelog::FileSystem& files_;
  const Options options_;
  const std::vector<Shard> shards_;
  std::unique_ptr<filelog::LogReader> reader_;
  std::atomic<const filelog::LogReader*> progress_{nullptr};

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  std::vector<std::unique_ptr<Slot>> slots_;
  uint64_t next_index_ = 0;  // of the next chunk to be read
  bool reading_ = false;     // one thread reads at a time
  bool ended_ = false;       // the last chunk was read
  std::optional<Error> error_;
};

}  // namespace segue::replay
