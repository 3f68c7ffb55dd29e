// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/codec/journal_record.h"
#include "lib/filelog/file_system.h"
#include "lib/pipeline/commit_port.h"

namespace segue::filelog {

struct ShardPaths {
  std::string transitions;
  std::string dead_letters;
  std::string journal;
};
ShardPaths shard_paths(const std::string& directory, std::string_view shard);

// One shard's outputs and journal: DIR/transitions/SHARD.ndjson, DIR/dead-letters/SHARD.ndjson, DIR/journal/SHARD.journal. A commit is there as a
// whole or not at all. One thread at a time; one CommitLog per shard, with DIR/LOCK held (lock_directory).
class CommitLog final : public pipeline::CommitPort {
 public:
  struct Options {
    // Without syncs a crash of the process still loses nothing, a crash of the machine may damage the end of any file.
    bool sync = true;
  };
  // What open() had to cut off: the rest of a commit that never finished.
  struct Recovery {
    uint64_t journal_bytes = 0;
    uint64_t transitions_bytes = 0;
    uint64_t dead_letters_bytes = 0;

    bool any() const { return journal_bytes + transitions_bytes + dead_letters_bytes > 0; }
  };

  // Creates what is missing, reads the journal to its end, cuts a torn tail, and cuts the outputs back to the last committed lengths. kData, and
  // nothing is cut, when the journal is damaged before its last record, is another shard's, or an output file is shorter than it says.
  static Result<std::unique_ptr<CommitLog>> open(FileSystem& files, const std::string& directory, const std::string& shard, Options options);
  static Result<std::unique_ptr<CommitLog>> open(FileSystem& files, const std::string& directory, const std::string& shard) {
    return open(files, directory, shard, Options{});
  }

  // Empty before the first commit.
  const std::optional<codec::JournalRecord>& last() const { return last_; }
  const Recovery& recovery() const { return recovery_; }

  Result<> for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit) override;
  // Durable on return. After kRetry (a full disk) call again once the reason has gone; after any other error open() anew.
  Result<> submit(pipeline::Commit& commit) override;
  Result<bool> settled() override { return true; }
  Result<> wait() override { return {}; }
  uint64_t journal_hint() const override { return 0; }

 private:
  struct Output {
    std::unique_ptr<File> file;
    std::string path;
    uint64_t length = 0;  // committed
  };

  CommitLog(FileSystem& files, const std::string& directory, std::string shard, Options options);
  Result<> open_files(const std::string& directory);
  Result<> read_journal();
  Result<> create_journal();
  Result<Recovery> cut_back();

  FileSystem& files_;
  const std::string shard_;
  const Options options_;
  Output transitions_;
  Output dead_letters_;
  Output journal_;
  std::optional<codec::JournalRecord> last_;
  uint64_t checksum_ = 0;    // of the last frame: the chain's end
  bool unfinished_ = false;  // files may hold bytes beyond their committed lengths
  Recovery recovery_;
  std::string frame_;  // kept for its memory
};

}  // namespace segue::filelog
