// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lib/filelog/file_system.h"
#include "lib/filelog/sync_team.h"
#include "lib/intake/event_sink.h"

namespace segue::filelog {

// Appends to an embedded log, that is files DIRECTORY/0.ndjson to N-1.ndjson (docs/formats/embedded-log.md). One thread writes for all
// files, which are then synced at the same time: what arrives meanwhile shares the next round. A request's completion comes after the sync of every
// file that it touched.
class LogWriter final : public intake::EventSink {
 public:
  static constexpr std::chrono::seconds kTrouble{10};

  struct Options {
    std::string directory;
    uint32_t partitions = 0;                             // files of a new log; of one that is there 0, or its number
    size_t queue_bytes = 64u << 20;                      // lines that wait, or are being written: beyond it submit() is kFull
    std::function<void(uint32_t partition)> on_durable;  // durable_bytes() of the partition has grown; on the writer's thread, must not block
    std::function<void(const Error&)> on_error;          // a file did not take what it should; on the writer's thread
  };
  struct Totals {
    uint64_t bytes = 0;   // that became durable
    uint64_t syncs = 0;   // rounds of write and sync
    uint64_t errors = 0;  // files that failed in a round
    uint64_t waiting_bytes = 0;
  };

  // Makes the log where it is missing, cuts what a crash left of a last line, and syncs. Requires that this process holds the directory's lock
  // (lock_directory of the directory above). kUsage when the log has another number of files. `files` outlives the writer.
  static Result<std::unique_ptr<LogWriter>> open(FileSystem& files, Options options);
  // As stop().
  ~LogWriter() override;

  intake::Admission submit(std::span<const intake::SinkRecord> records, Completion done) override;
  // Takes nothing more, writes what was taken, and returns when every completion was called.
  void stop();

  uint32_t partitions() const { return static_cast<uint32_t>(files_.size()); }
  // By partition.
  std::vector<std::string> paths() const;
  // Bytes of whole, synced lines. From any thread.
  uint64_t durable_bytes(uint32_t partition) const { return files_[partition]->durable.load(std::memory_order_acquire); }
  Totals totals() const;
  // Why the last round failed, where that is less than kTrouble ago; empty: nothing is known against writing. Forgotten then, so that somebody sends
  // events again and finds out. From any thread.
  std::string trouble() const;

 private:
  struct LogFile {
    std::string path;
    std::unique_ptr<File> file;
    std::atomic<uint64_t> durable{0};
    bool damaged = false;  // bytes behind `durable` have to be cut off first
  };
  struct Waiter {
    std::vector<uint32_t> touched;
    Completion done;
  };
  // What one round takes.
  struct Round {
    std::vector<std::string> lines;  // by partition
    std::vector<Waiter> waiters;
    size_t bytes = 0;
  };

  explicit LogWriter(Options options) : options_(std::move(options)) {}
  Result<> open_files(FileSystem& files, uint32_t partitions);
  void run();
  void write(Round& round);
  static Result<> append(LogFile& log, const std::string& lines);
  static void take_back(LogFile& log);

  const Options options_;
  std::vector<std::unique_ptr<LogFile>> files_;
  std::unique_ptr<SyncTeam> team_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  Round next_;
  size_t waiting_bytes_ = 0;  // of the round being written too
  bool stopping_ = false;
  Totals totals_;
  std::string trouble_;  // of the last round; empty: it went well
  std::chrono::steady_clock::time_point trouble_at_;

  std::thread thread_;
};

}  // namespace segue::filelog
