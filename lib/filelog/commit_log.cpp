// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/commit_log.h"

#include "lib/base/assert.h"
#include "lib/filelog/journal_file.h"

namespace segue::filelog {
namespace {

// The record must describe these bytes, behind what the file has.
void check_mark(const codec::OutputMark& mark, std::string_view bytes, uint64_t length_before) {
  SEGUE_ASSERT((mark.count == 0) == bytes.empty());
  SEGUE_ASSERT(bytes.empty() || bytes.back() == '\n');
  SEGUE_ASSERT(mark.length == length_before + bytes.size());
}

// Cuts the file to `length`; returns the bytes cut off.
Result<uint64_t> cut_to(File& file, const std::string& path, uint64_t length) {
  const auto size = file.size();
  if (!size) return size;
  if (*size < length) {
    return fail(ErrorClass::kData, path + ": has " + std::to_string(*size) + " bytes, but its journal has committed " + std::to_string(length));
  }
  if (*size > length) SEGUE_TRY(file.truncate(length));
  return *size - length;
}

}  // namespace

ShardPaths shard_paths(const std::string& directory, std::string_view shard) {
  const std::string name(shard);
  return {directory + "/transitions/" + name + ".ndjson", directory + "/dead-letters/" + name + ".ndjson",
          directory + "/journal/" + name + ".journal"};
}

CommitLog::CommitLog(FileSystem& files, const std::string& directory, std::string shard, Options options)
    : files_(files), shard_(std::move(shard)), options_(options) {
  ShardPaths paths = shard_paths(directory, shard_);
  transitions_.path = std::move(paths.transitions);
  dead_letters_.path = std::move(paths.dead_letters);
  journal_.path = std::move(paths.journal);
}

Result<std::unique_ptr<CommitLog>> CommitLog::open(FileSystem& files, const std::string& directory, const std::string& shard, Options options) {
  std::unique_ptr<CommitLog> log(new CommitLog(files, directory, shard, options));
  SEGUE_TRY(log->open_files(directory));
  SEGUE_TRY(log->read_journal());
  return log;
}

Result<> CommitLog::open_files(const std::string& directory) {
  for (Output* output : {&transitions_, &dead_letters_, &journal_}) {
    const std::string parent = parent_directory(output->path);
    SEGUE_TRY(files_.make_directories(parent));
    auto file = files_.open_to_append(output->path);
    if (!file) return tl::unexpected(std::move(file).error());
    output->file = std::move(*file);
    // Every time: the process may have died between an earlier creation and its sync.
    SEGUE_TRY(files_.sync_directory(parent));
  }
  return files_.sync_directory(directory);
}

Result<> CommitLog::read_journal() {
  JournalReader reader(*journal_.file, journal_.path, shard_);
  const auto has_header = reader.read_header();
  if (!has_header) return tl::unexpected(has_header.error());
  if (!*has_header) return create_journal();
  for (;;) {
    auto record = reader.next();
    if (!record) return tl::unexpected(std::move(record).error());
    if (!*record) break;
    last_ = std::move(**record);
  }
  journal_.length = reader.valid_bytes();
  checksum_ = reader.checksum();
  if (last_) {
    transitions_.length = last_->transitions.length;
    dead_letters_.length = last_->dead_letters.length;
  }
  const auto recovery = cut_back();
  if (!recovery) return tl::unexpected(recovery.error());
  recovery_ = *recovery;
  return {};
}

Result<> CommitLog::create_journal() {
  for (const Output* output : {&transitions_, &dead_letters_}) {
    const auto size = output->file->size();
    if (!size) return tl::unexpected(size.error());
    if (*size > 0) return fail(ErrorClass::kData, output->path + ": has content, but " + journal_.path + " is missing or empty");
  }
  const auto cut = cut_to(*journal_.file, journal_.path, 0);
  if (!cut) return tl::unexpected(cut.error());
  recovery_.journal_bytes = *cut;
  const std::string header = journal_header(shard_);
  SEGUE_TRY(journal_.file->append(header));
  if (options_.sync) SEGUE_TRY(journal_.file->sync());
  journal_.length = header.size();
  checksum_ = journal_header_checksum(shard_);
  return {};
}

// Brings the files back to their committed lengths.
Result<CommitLog::Recovery> CommitLog::cut_back() {
  for (const Output* output : {&transitions_, &dead_letters_}) {
    const auto size = output->file->size();
    if (!size) return tl::unexpected(size.error());
    if (*size < output->length) {
      return fail(ErrorClass::kData,
                  output->path + ": has " + std::to_string(*size) + " bytes, but its journal has committed " + std::to_string(output->length));
    }
  }
  const auto journal_cut = cut_to(*journal_.file, journal_.path, journal_.length);
  if (!journal_cut) return tl::unexpected(journal_cut.error());
  // The outputs may only change once a record that names them cannot come back after a crash.
  if (*journal_cut > 0 && options_.sync) SEGUE_TRY(journal_.file->sync());
  const auto transitions_cut = cut_to(*transitions_.file, transitions_.path, transitions_.length);
  if (!transitions_cut) return tl::unexpected(transitions_cut.error());
  const auto dead_letters_cut = cut_to(*dead_letters_.file, dead_letters_.path, dead_letters_.length);
  if (!dead_letters_cut) return tl::unexpected(dead_letters_cut.error());
  unfinished_ = false;
  return Recovery{*journal_cut, *transitions_cut, *dead_letters_cut};
}

Result<> CommitLog::submit(pipeline::Commit& commit) {
  if (unfinished_) SEGUE_TRY(cut_back());
  const codec::JournalRecord& record = commit.record;
  const std::string& transitions = commit.outputs.transition_lines;
  const std::string& dead_letters = commit.outputs.dead_letter_lines;
  SEGUE_ASSERT(record.sequence == (last_ ? last_->sequence + 1 : 1));
  check_mark(record.transitions, transitions, transitions_.length);
  check_mark(record.dead_letters, dead_letters, dead_letters_.length);
  std::string payload;
  codec::encode(record, payload);
  frame_.clear();
  const uint64_t checksum = append_journal_frame(frame_, payload, checksum_);

  unfinished_ = true;
  if (!transitions.empty()) SEGUE_TRY(transitions_.file->append(transitions));
  if (!dead_letters.empty()) SEGUE_TRY(dead_letters_.file->append(dead_letters));
  if (options_.sync && !transitions.empty()) SEGUE_TRY(transitions_.file->sync());
  if (options_.sync && !dead_letters.empty()) SEGUE_TRY(dead_letters_.file->sync());
  SEGUE_TRY(journal_.file->append(frame_));
  if (options_.sync) SEGUE_TRY(journal_.file->sync());
  unfinished_ = false;

  journal_.length += frame_.size();
  transitions_.length = record.transitions.length;
  dead_letters_.length = record.dead_letters.length;
  checksum_ = checksum;
  last_ = record;
  commit.outputs.clear();
  return {};
}

Result<> CommitLog::for_each_since(uint64_t sequence, uint64_t /*hint*/, const Visit& visit) {
  JournalReader reader(*journal_.file, journal_.path, shard_);
  const auto has_header = reader.read_header();
  if (!has_header) return tl::unexpected(has_header.error());
  const uint64_t end = last_ ? last_->sequence : 0;
  for (uint64_t at = 1; at <= end; ++at) {
    const auto record = reader.next();
    if (!record) return tl::unexpected(record.error());
    if (!*record) return fail(ErrorClass::kData, journal_.path + ": ends before commit " + std::to_string(at));
    if (at > sequence) SEGUE_TRY(visit(**record, 0));
  }
  return {};
}

}  // namespace segue::filelog
