// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/commit_check.h"

#include <algorithm>

#include "lib/base/hash.h"
#include "lib/filelog/commit_log.h"
#include "lib/filelog/journal_file.h"

namespace segue::filelog {
namespace {

// One output file, read in step with the journal.
class OutputCheck {
 public:
  static Result<OutputCheck> open(FileSystem& files, const std::string& path) {
    auto file = files.open_to_read(path);
    if (!file) return tl::unexpected(std::move(file).error());
    auto size = (*file)->size();
    if (!size) return tl::unexpected(std::move(size).error());
    return OutputCheck(std::move(*file), path, *size);
  }

  Result<> check(const codec::OutputMark& mark, uint64_t sequence) {
    const uint64_t begin = end_;
    end_ = mark.length;
    if (mark.length > size_) return damaged(sequence, begin, "the file has only " + std::to_string(size_) + " bytes");
    bytes_.resize(static_cast<size_t>(end_ - begin));
    const auto got = file_->read_at(begin, bytes_);
    if (!got) return tl::unexpected(got.error());
    const auto lines = static_cast<uint64_t>(std::count(bytes_.begin(), bytes_.end(), '\n'));
    const uint64_t checksum = bytes_.empty() ? 0 : hash64(bytes_);
    if (*got != bytes_.size() || checksum != mark.checksum) return damaged(sequence, begin, "the checksum differs from the journal's");
    if (lines != mark.count) return damaged(sequence, begin, std::to_string(lines) + " lines, but the journal states " + std::to_string(mark.count));
    count_ += lines;
    return {};
  }

  uint64_t count() const { return count_; }
  uint64_t bytes_behind() const { return size_ - end_; }

 private:
  OutputCheck(std::unique_ptr<File> file, std::string path, uint64_t size) : file_(std::move(file)), path_(std::move(path)), size_(size) {}

  tl::unexpected<Error> damaged(uint64_t sequence, uint64_t begin, const std::string& what) const {
    return fail(ErrorClass::kData, path_ + ": commit " + std::to_string(sequence) + " (bytes " + std::to_string(begin) + " to " +
                                       std::to_string(end_) + ") is damaged: " + what);
  }

  std::unique_ptr<File> file_;
  std::string path_;
  uint64_t size_;
  uint64_t end_ = 0;
  uint64_t count_ = 0;
  std::string bytes_;
};

}  // namespace

Result<DurableLengths> durable_lengths(FileSystem& files, const std::string& directory, const std::string& shard) {
  const std::string path = shard_paths(directory, shard).journal;
  const auto file = files.open_to_read(path);
  if (!file) return tl::unexpected(file.error());
  JournalReader reader(**file, path, shard);
  const auto has_header = reader.read_header();
  if (!has_header) return tl::unexpected(has_header.error());
  DurableLengths lengths;
  if (!*has_header) return lengths;
  for (;;) {
    const auto record = reader.next();
    if (!record) return tl::unexpected(record.error());
    if (!*record) return lengths;
    lengths = {(*record)->transitions.length, (*record)->dead_letters.length, (*record)->sequence};
  }
}

Result<CommitReport> check_commits(FileSystem& files, const std::string& directory, const std::string& shard) {
  const ShardPaths paths = shard_paths(directory, shard);
  const auto journal = files.open_to_read(paths.journal);
  if (!journal) return tl::unexpected(journal.error());
  auto transitions = OutputCheck::open(files, paths.transitions);
  if (!transitions) return tl::unexpected(std::move(transitions).error());
  auto dead_letters = OutputCheck::open(files, paths.dead_letters);
  if (!dead_letters) return tl::unexpected(std::move(dead_letters).error());

  JournalReader reader(**journal, paths.journal, shard);
  const auto has_header = reader.read_header();
  if (!has_header) return tl::unexpected(has_header.error());
  CommitReport report;
  while (*has_header) {
    const auto record = reader.next();
    if (!record) return tl::unexpected(record.error());
    if (!*record) break;
    SEGUE_TRY(transitions->check((*record)->transitions, (*record)->sequence));
    SEGUE_TRY(dead_letters->check((*record)->dead_letters, (*record)->sequence));
    ++report.commits;
  }
  report.transitions = transitions->count();
  report.dead_letters = dead_letters->count();
  report.torn_journal_bytes = reader.torn_bytes();
  report.uncommitted_transition_bytes = transitions->bytes_behind();
  report.uncommitted_dead_letter_bytes = dead_letters->bytes_behind();
  return report;
}

}  // namespace segue::filelog
